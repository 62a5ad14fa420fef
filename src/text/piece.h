// Defines the data that passes between the stages of a tokenizer: words in the text, and pieces of
// a word.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fp8q {

// A word is bytes [begin, end) of the normalized text, which are tokenized by themselves.
struct Word {
  size_t begin;
  size_t end;
  bool prefixed = false;  // a space that the text does not have is put before it
};

// A piece is a token of a word: bytes [begin, end) of the word.
struct Piece {
  int32_t id;
  size_t begin;
  size_t end;
};

}  // namespace fp8q
