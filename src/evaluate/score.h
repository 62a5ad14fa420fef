// What a model's answers are worth, with intervals, and the comparison of two models on a task.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evaluate/evaluator.h"
#include "evaluate/significance.h"

namespace fp8q {

// A model's answers and what they are worth.
struct Scored {
  Answers answers;
  TaskScore score;
  std::vector<double> resampled;  // the score on the bootstrap's samples
  Interval ci95;                  // of the score
  // Of score.metrics, parallel to them, as fractions.
  std::vector<Interval> metrics_ci95;
  // Evaluator::details().
  std::vector<std::pair<std::string, double>> details;
};

// `answers` are those of the evaluator's examples, of which there must be at least one.
Scored score_answers(const Evaluator& evaluator, size_t examples, Answers answers, uint64_t seed);

// Both scored on the same examples with the same seed. Differences are in points of the score.
Difference compare(const Scored& tested, const Scored& baseline);

}  // namespace fp8q
