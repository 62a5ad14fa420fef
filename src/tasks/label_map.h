// Maps the logits of a model to the classes of a task.
//
// Models order their outputs as they like and say so in config.json. Reading them in the wrong
// order would give a plausible, wrong score, so a model whose labels do not fit the task is
// refused.
#pragma once

#include <string>
#include <vector>

#include "tasks/model_config.h"
#include "tasks/task.h"

namespace fp8q {

struct LabelMap {
  std::vector<size_t> logit_of_class;  // one entry for a regression task
  // It is set if the order is assumed because the config does not say.
  std::string note;
};

// Throws an Error (bad_data) if the task has named classes and nothing tells the model's labels:
// there is neither a config.json nor a list by the user. A config.json without labels stands for
// the order of the task's classes, as transformers numbers them.
void require_known_labels(const Task& task, const ModelConfig& config);

// `outputs` is the number of logits of the model. Fails with ErrorCode::bad_data, also if the model
// gives an example several labels ("multi_label_classification").
LabelMap match_labels(const Task& task, const ModelConfig& config, size_t outputs);

}  // namespace fp8q
