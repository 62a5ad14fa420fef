// Runs models over the examples of a task, together with their baselines.
#pragma once

#include "evaluate/evaluation.h"

namespace fp8q {

// Returns the evaluation of the shard that `options` name (of all examples if there is only one
// shard). The data is read once, and tokenized once per tokenizer. A baseline is run once. The
// caller must have checked models, shard and batch.
Evaluation run_evaluation(const EvaluateOptions& options, const ProgressCallback& progress);

}  // namespace fp8q
