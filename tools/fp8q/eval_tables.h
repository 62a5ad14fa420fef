// Shows the results of `eval` as tables for people.
#pragma once

#include <string>
#include <vector>

#include "fp8q/evaluate.h"

namespace fp8q::cli {

// Lists the scores of models on one task, baselines first, with their metrics below.
std::string scores_table(const std::vector<EvaluateResult>& results);
// Lists the kernel that each Site ran with.
std::string kernels_table(const EvaluateResult& result);
// Lists the examples whose answer differs from the baseline's, or the first of them if there are
// many.
std::string flips_table(const EvaluateResult& result);

}  // namespace fp8q::cli
