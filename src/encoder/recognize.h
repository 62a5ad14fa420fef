// Finds the BERT-family encoder in a graph.
#pragma once

#include <variant>

#include "encoder/encoder.h"

namespace fp8q {

// Structure only, never names. Looks through Identity, Dropout, Cast between float types of
// constants, and Q/DQ pairs. A graph that is something else gives the reason. Error (unsupported)
// where the graph has an operator the interpreter does not have: nothing can run it.
std::variant<Encoder, NotAnEncoder> recognize_encoder(const Model& model);

}  // namespace fp8q
