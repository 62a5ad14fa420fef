// Scores a model's answers, with intervals, and compares two models on a task.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evaluate/evaluator.h"
#include "evaluate/significance.h"

namespace fp8q {

// Holds a model's answers and their score.
struct Scored {
  Answers answers;
  TaskScore score;
  std::vector<double> resampled;  // the score on the bootstrap's samples
  Interval ci95;                  // interval of the score
  // These are the intervals of score.metrics, parallel to them, as fractions.
  std::vector<Interval> metrics_ci95;
  // This is the result of Evaluator::details().
  std::vector<std::pair<std::string, double>> details;
};

// `answers` are the answers to the evaluator's examples. There must be at least one example.
Scored score_answers(const Evaluator& evaluator, size_t examples, Answers answers, uint64_t seed);

// Both must be scored on the same examples with the same seed. Differences are in points of the
// score.
Difference compare(const Scored& tested, const Scored& baseline);

}  // namespace fp8q
