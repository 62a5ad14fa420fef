#include "base/utf8.h"

#include <cstring>

namespace fp8q {
namespace {

// Table 3-7 of the Unicode standard says how many bytes follow a lead byte, and the range of the
// first of these. The range excludes overlong forms, surrogates and values above U+10FFFF.
struct Lead {
  int following;
  unsigned char low;
  unsigned char high;
};

Lead classify_lead(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

DecodedChar decode_utf8(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead_byte = byte(at);
  if (lead_byte < 0x80) return {lead_byte, 1};
  Lead lead = classify_lead(lead_byte);
  if (lead.following == 0) return {kReplacementCharacter, 1};
  char32_t value = lead_byte & (0x3F >> lead.following);
  for (int i = 1; i <= lead.following; ++i) {
    const size_t next = at + static_cast<size_t>(i);
    if (next >= text.size() || byte(next) < lead.low || byte(next) > lead.high)
      return {kReplacementCharacter, static_cast<size_t>(i)};
    value = value << 6 | (byte(next) & 0x3F);
    lead.low = 0x80;
    lead.high = 0xBF;
  }
  return {value, static_cast<size_t>(lead.following) + 1};
}

DecodedChar decode_utf8_before(std::string_view text, size_t end) {
  // Ill-formed parts may be cut differently than from the front, because all of them are U+FFFD.
  for (size_t bytes = 4; bytes > 1; --bytes) {
    if (bytes > end) continue;
    const DecodedChar c = decode_utf8(text.substr(0, end), end - bytes);
    if (c.bytes == bytes) return c;
  }
  return decode_utf8(text.substr(0, end), end - 1);
}

void append_utf8(std::string& out, char32_t c) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_ill_formed(std::string_view text, size_t at, DecodedChar c) {
  return c.value == kReplacementCharacter && text.substr(at, 3) != "\xEF\xBF\xBD";
}

size_t find_ill_formed(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  for (size_t at = 0; at < text.size();) {
    uint64_t eight = kHighBits;
    if (at + sizeof eight <= text.size()) std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & kHighBits) == 0) {
      at += sizeof eight;
      continue;
    }
    const DecodedChar c = decode_utf8(text, at);
    if (is_ill_formed(text, at, c)) return at;
    at += c.bytes;
  }
  return std::string_view::npos;
}

bool is_printable(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  if (c < 0x20 || within(0x7F, 0x9F)) return false;
  if (c < 0x61C) return true;
  // The ranges are marks of direction, separators, embeddings and overrides, invisible operators
  // and isolates, the byte order mark, interlinear annotations, and tags.
  return !(c == 0x61C || c == 0x200B || within(0x200E, 0x200F) || within(0x2028, 0x202E) ||
           within(0x2060, 0x206F) || c == 0xFEFF || within(0xFFF9, 0xFFFB) ||
           within(0xE0000, 0xE007F));
}

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += decode_utf8(text, at).bytes) ++count;
  return count;
}

}  // namespace fp8q
