// Running models over the examples of a task, each beside its baseline.
#pragma once

#include "evaluate/evaluation.h"

namespace fp8q {

// The evaluation of the shard that `options` name (of all examples where there is one shard). The
// data is read once, and tokenized once per tokenizer; a baseline is run once. Models, shard and
// batch must have been checked.
Evaluation run_evaluation(const EvaluateOptions& options, const ProgressCallback& progress);

}  // namespace fp8q
