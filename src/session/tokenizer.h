// Finds the tokenizer of a model and checks it against the model's embedding table.
#pragma once

#include "session/bundle.h"
#include "text/tokenizer.h"

namespace fp8q {

// Returns the tokenizer `given`, or the one beside the model. Throws an Error (bad_data) if its ids
// do not fit the model's embedding table.
Tokenizer tokenizer_for(const Bundle& bundle, const std::optional<fs::path>& given);

}  // namespace fp8q
