// Decodes UTF-8 with replacement.
//
// Every byte string is a text. An ill-formed part counts as one U+FFFD, and parts are cut as
// Unicode recommends ("maximal subpart", Unicode 15 section 3.9, like Python's errors="replace"),
// so code-point offsets agree with other programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fp8q {

constexpr char32_t kReplacementCharacter = 0xFFFD;

struct DecodedChar {
  char32_t value;
  size_t bytes;  // 1 to 4
};

// Returns the character at byte `at`, which must be inside `text`.
DecodedChar decode_utf8(std::string_view text, size_t at);

// Returns the character that ends before byte `end`, which is not 0.
DecodedChar decode_utf8_before(std::string_view text, size_t end);

void append_utf8(std::string& out, char32_t c);

// Returns whether `c`, decoded at byte `at`, stands for an ill-formed part and not for U+FFFD
// itself.
bool is_ill_formed(std::string_view text, size_t at, DecodedChar c);

// Returns the first byte that begins no well-formed character, or npos.
size_t find_ill_formed(std::string_view text);

// Returns whether a terminal or a page may show the character as it is. Controls (C0, DEL, C1),
// line and paragraph separators, and invisible characters that reorder or hide text may not.
bool is_printable(char32_t c);

// Returns the number of code points. Each ill-formed part counts as one.
size_t count_code_points(std::string_view text);

// Returns the text without a leading byte order mark.
inline std::string_view without_bom(std::string_view text) {
  return text.substr(0, 3) == "\xEF\xBB\xBF" ? text.substr(3) : text;
}

}  // namespace fp8q
