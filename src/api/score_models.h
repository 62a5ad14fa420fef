// Scoring models on one task, each beside its baseline: the common part of `eval` for one task and
// for all of GLUE.
#pragma once

#include <optional>
#include <vector>

#include "fp8q/evaluate.h"

namespace fp8q {

struct ModelScore {
  EvaluateResult result;
  // Scores on the bootstrap's samples, for intervals over several tasks.
  std::vector<double> resampled;
  std::optional<std::vector<double>> baseline_resampled;
};

// One per model of `options`, in order. The data is read once, and tokenized once per tokenizer; a
// baseline is run once. Notes about the data are with the first.
std::vector<ModelScore> score_models(const EvaluateOptions& options,
                                     const ProgressCallback& progress);

}  // namespace fp8q
