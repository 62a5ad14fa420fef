// --task text: a task that the user describes, in a table of their own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/model_config.h"
#include "tasks/task.h"

namespace fp8q {

// The name that --task takes for it.
constexpr std::string_view kUserTask = "text";

struct UserTask {
  std::string text_column = "text";
  std::string pair_column;  // empty: single texts
  std::string label_column = "label";
  std::vector<std::string> metrics;  // empty: accuracy, or Pearson and Spearman for one output
};

// The task for a model with `outputs` logits (0: hidden states only, compared by cosine): its
// classes are config.json's id2label, or numbered where that is silent; metrics of numbers make it
// a regression. The score is the mean of the metrics. Error (usage): an unknown metric, metrics of
// classes mixed with metrics of numbers, or ones that the outputs do not fit.
Task make_user_task(const UserTask& user, const ModelConfig& config, size_t outputs);

// The same for text that is only run: its labels are not read.
Task make_user_text(const UserTask& user);

}  // namespace fp8q
