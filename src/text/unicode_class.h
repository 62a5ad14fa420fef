// Gives the character classes of the regular expressions in tokenizers: \p{L}, \p{N}, \s, \w.
#pragma once

#include <cstdint>

namespace fp8q {

enum CharClass : uint8_t {
  kLetter = 1,  // \p{L}
  kNumber = 2,  // \p{N}
  kSpace = 4,   // \s, the property White_Space
  kWord = 8,    // \w of Unicode Technical Standard 18, annex C
};

// Returns the classes of a character by Unicode 16, a union of CharClass.
uint8_t char_classes(char32_t c);

}  // namespace fp8q
