// Applies the normalization forms of Unicode (Standard Annex 15) as tokenizers in use do, with the
// data of Unicode 9. Every character keeps its place in the original text.
#pragma once

#include <cstdint>
#include <vector>

namespace fp8q {

// Describes a character of a text during normalization.
struct SourcedChar {
  char32_t value;
  uint32_t source;  // index of the original code point
};

// Decomposes canonically or by compatibility, orders marks canonically, and composes if `compose`
// is set.
void apply_form(bool compatibility, bool compose, std::vector<SourcedChar>& text);

}  // namespace fp8q
