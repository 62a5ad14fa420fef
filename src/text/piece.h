// What passes between the stages of a tokenizer: words in the text, pieces of a word.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fp8q {

// Bytes [begin, end) of the normalized text, which are tokenized by themselves.
struct Word {
  size_t begin;
  size_t end;
  bool prefixed = false;  // a space stands before it that the text does not have
};

// A token of a word: bytes [begin, end) of it.
struct Piece {
  int32_t id;
  size_t begin;
  size_t end;
};

}  // namespace fp8q
