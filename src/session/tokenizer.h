// Finds the tokenizer of a model and checks it against the model's embedding table.
#pragma once

#include "session/bundle.h"
#include "session/side_files.h"
#include "text/tokenizer.h"

namespace fp8q {

// Returns the tokenizer that find_tokenizer() chooses. Throws an Error (bad_data) if its ids
// do not fit the model's embedding table.
Tokenizer tokenizer_for(const Bundle& bundle, const SideFiles& given);

}  // namespace fp8q
