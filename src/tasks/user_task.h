// Implements --task text: a task that the user describes, in their own table.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/model_config.h"
#include "tasks/task.h"

namespace fp8q {

// --task takes this name.
constexpr std::string_view kUserTask = "text";

struct UserTask {
  std::string text_column = "text";
  std::string pair_column;  // empty for single texts
  std::string label_column = "label";
  std::vector<std::string> metrics;  // empty: accuracy, or Pearson and Spearman for one output
};

// Makes the task for a model with `outputs` logits (0: hidden states only, compared by cosine). Its
// classes are config.json's id2label, or are numbered if there is none. Metrics of numbers make the
// task a regression. The score is the mean of the metrics. Throws an Error (usage) if a metric is
// unknown, if metrics of classes are mixed with metrics of numbers, or if metrics do not fit the
// outputs.
Task make_user_task(const UserTask& user, const ModelConfig& config, size_t outputs);

// Makes the task for text that is only run. Its labels are not read.
Task make_user_text(const UserTask& user);

}  // namespace fp8q
