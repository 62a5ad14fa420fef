// Answers questions about many encoded texts.
#pragma once

#include <span>
#include <string>

#include "text/tokenizer.h"

namespace fp8q {

size_t count_tokens(std::span<const Encoding> encodings);

// Returns the hash of all token and segment ids. The same text through the same tokenizer has the
// same hash.
std::string sha256_of(std::span<const Encoding> encodings);

}  // namespace fp8q
