// Writes attention out, so that its products can be recognized and quantized.
#pragma once

#include "graph/model.h"

namespace fp8q {

// Replaces nodes of the operator Attention (opset 23) by the products and the softmax that the
// standard writes out for them, with the scale split between query and key. Names of values stay.
// Leaves nodes with a feature that encoders do not have: a causal mask, a past, shared heads of
// keys, a cap on the scores, outputs besides the first one; also those with a short mask. Changes
// nothing if the shapes of the graph do not follow from batch size and sequence length.
void expand_attention(Model& model);

}  // namespace fp8q
