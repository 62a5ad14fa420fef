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

// `outputs` is the number of logits of the model. Fails with ErrorCode::bad_data, also if the model
// gives an example several labels ("multi_label_classification").
LabelMap match_labels(const Task& task, const ModelConfig& config, size_t outputs);

}  // namespace fp8q
