// Chooses the output of a model that answers label tasks.
#pragma once

#include "evaluate/evaluator.h"
#include "session/bundle.h"
#include "tasks/model_config.h"

namespace fp8q {

// Prefers logits, then the embedding of a text, then hidden states, which are pooled as
// 1_Pooling/config.json beside the model or one folder up says (by their mean if there is none),
// and last the pooled first token of a BERT without a head. Throws an Error (bad_data) if the
// pooling is none that fp8q knows.
AnsweringOutput answering_output(const Bundle& bundle, const ModelConfig& config);

}  // namespace fp8q
