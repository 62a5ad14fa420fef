// Finds the BERT-family encoder in a graph.
#pragma once

#include <variant>

#include "encoder/encoder.h"

namespace fp8q {

// Uses structure only, never names. Looks through Identity, Dropout, Cast between float types of
// constants, and Q/DQ pairs. A graph in float16 or bfloat16 is recognized as the encoder in FP32
// that it was made from. If the graph is not an encoder, returns the reason. Throws an Error
// (unsupported) if the graph has an operator that the interpreter does not support, because nothing
// can run it, an Error (bad_model) if a node lacks what its operator needs, or an Error (limit) if
// looking at it costs more than a model of this size may (interpreter/budget.h).
std::variant<Encoder, NotAnEncoder> recognize_encoder(const Model& model);

}  // namespace fp8q
