// The normalization forms of Unicode (Standard Annex 15) as tokenizers in the field apply them:
// with the data of Unicode 9, and with the place in the original text of every character.
#pragma once

#include <cstdint>
#include <vector>

namespace fp8q {

// A character of a text on its way through normalization.
struct SourcedChar {
  char32_t value;
  uint32_t source;  // index of the original code point
};

// Decomposes, canonically or by compatibility, orders marks canonically, and composes if `compose`.
void apply_form(bool compatibility, bool compose, std::vector<SourcedChar>& text);

}  // namespace fp8q
