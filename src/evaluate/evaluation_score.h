// Scores an evaluation.
#pragma once

#include "evaluate/evaluation.h"

namespace fp8q {

// Returns one result per model, in order, for an evaluation of all examples. Rates count the time
// of the engine alone, over all parts together. Throws an Error (bad_data) if there are no
// examples.
std::vector<EvaluateResult> score_evaluation(const Evaluation& evaluation);

}  // namespace fp8q
