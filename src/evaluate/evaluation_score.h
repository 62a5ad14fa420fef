// What an evaluation is worth.
#pragma once

#include "evaluate/evaluation.h"

namespace fp8q {

// One result per model, in order, of an evaluation of all examples. Rates are those of the engine
// alone, over all parts together. Error (bad_data): there are no examples.
std::vector<EvaluateResult> score_evaluation(const Evaluation& evaluation);

}  // namespace fp8q
