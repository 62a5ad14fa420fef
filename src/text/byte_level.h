// Implements the byte-level parts of GPT-2's and RoBERTa's tokenizers: how text becomes words, and
// which characters stand for bytes in vocabularies.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/piece.h"

namespace fp8q {

// Returns the bytes that a token of a vocabulary stands for. Files write each byte as one
// character: printable ones of Latin-1 as themselves, the others, in order, as U+0100, U+0101, ...
// Returns nullopt if the token has any other character.
std::optional<std::string> bytes_of_token(std::string_view token);

// Appends the words of bytes [begin, end) of `text`, valid UTF-8, by GPT-2's regular expression
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// With `prefixed` the text is split as if a space stood before it.
void split_gpt2(std::string_view text, size_t begin, size_t end, bool prefixed,
                std::vector<Word>& out);

}  // namespace fp8q
