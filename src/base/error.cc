#include "base/error.h"

#include <cstdio>
#include <cstdlib>

#include "base/utf8.h"

namespace fp8q {

std::string printable(std::string_view text, size_t most) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (out.size() >= most) return out + "...";
    const DecodedChar c = decode_utf8(text, at);
    const std::string_view bytes = text.substr(at, c.bytes);
    at += c.bytes;
    if (is_printable(c.value) && !is_ill_formed(text, at - c.bytes, c)) {
      out += bytes;
      continue;
    }
    for (const char byte : bytes) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "fp8q: internal error: %s:%d: %s does not hold\n", file, line, condition);
  std::_Exit(static_cast<int>(ErrorCode::internal));
}

}  // namespace fp8q
