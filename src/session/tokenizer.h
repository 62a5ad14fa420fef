// Finds the tokenizer of a model and checks it against the model's embedding table.
#pragma once

#include "session/bundle.h"
#include "session/side_files.h"
#include "text/tokenizer.h"

namespace fp8q {

// Returns the tokenizer that find_tokenizer() chooses. Adds its notes. Throws an Error (bad_data)
// if its ids do not fit the model's embedding table.
Tokenizer tokenizer_for(const Bundle& bundle, const SideFiles& given,
                        std::vector<std::string>& notes);

// Returns the length at which sequences are cut: `asked`, or else `usual` or what the tokenizer
// allows if that is less; in any case no more than the model takes. Adds notes on what is less.
size_t sequence_length(const Bundle& bundle, const Tokenizer& tokenizer,
                       std::optional<size_t> asked, size_t usual, std::vector<std::string>& notes);

}  // namespace fp8q
