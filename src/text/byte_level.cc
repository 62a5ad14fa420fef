#include "text/byte_level.h"

#include <array>

#include "base/utf8.h"
#include "text/unicode_class.h"

namespace fp8q {
namespace {

bool written_as_itself(char32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

// The table has the byte, or -1, for every character below kAlphabetEnd.
constexpr size_t kAlphabetEnd = 0x100 + 68;  // 68 bytes are not written as themselves

const std::array<int, kAlphabetEnd>& byte_of_char() {
  static const std::array<int, kAlphabetEnd> table = [] {
    std::array<int, kAlphabetEnd> bytes;
    bytes.fill(-1);
    size_t next = 0x100;
    for (int byte = 0; byte < 0x100; ++byte)
      bytes[written_as_itself(static_cast<char32_t>(byte)) ? static_cast<size_t>(byte) : next++] =
          byte;
    return bytes;
  }();
  return table;
}

constexpr uint8_t kKinds = kLetter | kNumber | kSpace;

struct Char {
  uint8_t kind;  // kLetter, kNumber, kSpace, or 0 for others
  size_t bytes;
};

Char char_at(std::string_view text, size_t at) {
  static const std::array<uint8_t, 128> ascii = [] {
    std::array<uint8_t, 128> kinds{};
    for (size_t c = 0; c < kinds.size(); ++c)
      kinds[c] = char_classes(static_cast<char32_t>(c)) & kKinds;
    return kinds;
  }();
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x80) return {ascii[byte], 1};
  const DecodedChar c = decode_utf8(text, at);
  return {static_cast<uint8_t>(char_classes(c.value) & kKinds), c.bytes};
}

// Returns the number of bytes of 's, 't, 're, 've, 'm, 'll or 'd at the beginning of the text.
size_t contraction(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  if (std::string_view("stmd").find(text[1]) != std::string_view::npos) return 2;
  const std::string_view two = text.substr(1, 2);
  return two == "re" || two == "ve" || two == "ll" ? 3 : 0;
}

}  // namespace

std::optional<std::string> bytes_of_token(std::string_view token) {
  std::string bytes;
  for (size_t at = 0; at < token.size();) {
    const DecodedChar c = decode_utf8(token, at);
    if (c.value >= kAlphabetEnd || byte_of_char()[c.value] < 0) return std::nullopt;
    bytes += static_cast<char>(byte_of_char()[c.value]);
    at += c.bytes;
  }
  return bytes;
}

void split_gpt2(std::string_view text, size_t begin, size_t end, bool prefixed,
                std::vector<Word>& out) {
  text = text.substr(0, end);
  for (size_t at = begin; at < end; prefixed = false) {
    const size_t first = at;
    if (const size_t bytes = prefixed ? 0 : contraction(text.substr(at)); bytes > 0) {
      out.push_back({first, at += bytes});
      continue;
    }
    Char c = char_at(text, at);
    if (!prefixed && text[at] == ' ' && at + 1 < end) {
      const Char next = char_at(text, at + 1);
      if (next.kind != kSpace) {
        ++at;
        c = next;
      }
    }
    size_t last = at;  // the run's last character
    size_t characters = prefixed ? 1 : 0;
    for (const uint8_t kind = c.kind; at < end; ++characters) {
      c = char_at(text, at);
      if (c.kind != kind) break;
      last = at;
      at += c.bytes;
    }
    // The last of several spaces before a word belongs to the word, or stands alone.
    const bool spaces = (char_at(text, last).kind == kSpace);
    if (spaces && at < end && characters > 1) at = last;
    out.push_back({first, at, prefixed});
  }
}

}  // namespace fp8q
