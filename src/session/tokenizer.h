// The tokenizer of a model, checked against its embedding table.
#pragma once

#include "session/bundle.h"
#include "text/tokenizer.h"

namespace fp8q {

// The tokenizer `given`, or the one beside the model. Error (bad_data): its ids do not fit the
// model's embedding table.
Tokenizer tokenizer_for(const Bundle& bundle, const std::optional<fs::path>& given);

}  // namespace fp8q
