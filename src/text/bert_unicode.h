// Gives the character classes of BERT tokenizers. They are frozen.
//
// Models are trained on what the `tokenizers` package decides, and the package decides by the
// tables of one Unicode version. bert_unicode.inc holds what was measured from the package, so ids
// do not depend on the Unicode version of a system library. Only decompositions and combining
// classes, which the Unicode stability policy fixes, come from utf8proc.
#pragma once

#include <cstdint>
#include <span>

namespace fp8q {

enum BertCharClass : uint8_t {
  kBertControl = 1,      // removed by clean_text
  kBertSpace = 2,        // separates words; clean_text makes it U+0020
  kBertPunctuation = 4,  // a word by itself
  kBertNonspacing = 8,   // an accent: removed by strip_accents
  kBertReordered = 16,   // another combining mark that canonical ordering moves
  kBertDecomposed = 32,  // has a canonical decomposition
  kBertCjk = 64,         // handle_chinese_chars puts spaces around it
  kBertLowered = 128,    // has a different lower case
};

// Returns the classes of a character, a union of BertCharClass.
uint8_t bert_classes(char32_t c);

// Returns whether the character is a combining mark, including spacing and enclosing marks. The
// normalizer StripAccents removes these.
bool is_mark(char32_t c);

// A character turns into at most this many.
constexpr size_t kMaxExpansion = 4;

// Returns the full canonical decomposition of a character of class kBertDecomposed.
std::span<const char32_t> decompose(char32_t c, std::span<char32_t, kMaxExpansion> storage);

// Returns the canonical combining class.
int combining_class(char32_t c);

// Returns the lower case of a character of class kBertLowered, without regard to its context (no
// final sigma).
std::span<const char32_t> lower_case(char32_t c, std::span<char32_t, kMaxExpansion> storage);

}  // namespace fp8q
