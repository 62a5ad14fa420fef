// The results of `eval` as tables for people.
#pragma once

#include <string>
#include <vector>

#include "fp8q/evaluate.h"

namespace fp8q::cli {

// Scores of models on one task, baselines first, with their metrics below.
std::string scores_table(const std::vector<EvaluateResult>& results);
// The kernel each Site ran with.
std::string kernels_table(const EvaluateResult& result);
// The examples whose answer differs from the baseline's; the first of many.
std::string flips_table(const EvaluateResult& result);

}  // namespace fp8q::cli
