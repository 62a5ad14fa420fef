// Scores predictions against gold answers, in double precision, as GLUE defines the metrics.
//
// Degenerate cases give 0, so that a score always exists and a useless model never gets a good one.
// These are F1 without a positive gold or predicted example, Matthews correlation with an empty row
// or column (as in scikit-learn), and Pearson and Spearman correlation if one side is constant (for
// which scipy gives NaN).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tasks/task.h"

namespace fp8q {

// `gold` and `predicted` are parallel. It is an error (ErrorCode::bad_data) if there are no
// examples, or if a prediction is not finite. Classes are whole numbers from 0. F1's positive class
// is 1. Matthews correlation takes any number of classes, as does macro F1, which is the mean of
// the F1 of every class that occurs. Spearman gives ties their average rank.
double metric(MetricKind kind, std::span<const double> gold, std::span<const double> predicted);

struct TaskScore {
  std::vector<std::pair<std::string, double>> metrics;  // in the task's order, as fractions
  double score = 0;  // x100: the mean of a label task's metrics (the GLUE score); F1 of a span task
};

TaskScore score_task(const Task& task, std::span<const double> gold,
                     std::span<const double> predicted);

}  // namespace fp8q
