// Scores of predictions against gold answers, in double precision, as GLUE defines them.
//
// Degenerate cases give 0, so that a score always exists and a useless model is never praised: F1
// without a positive gold or predicted example, Matthews correlation with an empty row or column
// (as scikit-learn), Pearson and Spearman correlation when one side is constant (where scipy gives
// NaN).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tasks/task.h"

namespace fp8q {

// `gold` and `predicted` are parallel. No examples is an error (ErrorCode::bad_data), as is a
// prediction that is not finite. Classes are whole numbers from 0. F1's positive class is 1;
// Matthews correlation takes any number of classes, as does macro F1, the mean of the F1 of every
// class that occurs; Spearman gives ties their average rank.
double metric(MetricKind kind, std::span<const double> gold, std::span<const double> predicted);

struct TaskScore {
  std::vector<std::pair<std::string, double>> metrics;  // in the task's order, as fractions
  double score = 0;  // x100: the mean of a label task's metrics (the GLUE score); F1 of a span task
};

TaskScore score_task(const Task& task, std::span<const double> gold,
                     std::span<const double> predicted);

}  // namespace fp8q
