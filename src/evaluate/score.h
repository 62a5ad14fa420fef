// From the outputs of a model to the score of a task, and the comparison of two models on it.
#pragma once

#include <vector>

#include "evaluate/run.h"
#include "evaluate/significance.h"
#include "tasks/dataset.h"
#include "tasks/label_map.h"
#include "tasks/metrics.h"
#include "tasks/task.h"

namespace fp8q {

struct Predictions {
  std::vector<double> values;  // per example: the class, or the number a regression model gives
  std::vector<std::vector<float>> logits;  // per example, in the model's order
};

// The index of the output that holds one row of logits per example. Error (bad_data): the model has
// none.
size_t logits_output(const RunResult& run);

// Error (bad_model) naming the first example whose logits are not finite. Of equal logits the lower
// class wins.
Predictions predict(const Task& task, const LabelMap& labels, const RunResult& run);

// A model's answers and what they are worth.
struct Scored {
  Predictions predictions;
  TaskScore score;
  std::vector<double> resampled;  // the GLUE score on the bootstrap's samples
  Interval ci95;                  // of the GLUE score
};

// `examples` must be labelled.
Scored score_predictions(const Task& task, const std::vector<Example>& examples,
                         Predictions predictions, uint64_t seed);

// Both scored on `examples` with the same seed. Differences are in points of the task's GLUE score.
Difference compare(const Task& task, const std::vector<Example>& examples, const Scored& tested,
                   const Scored& baseline);

std::vector<double> gold_of(const std::vector<Example>& examples);

}  // namespace fp8q
