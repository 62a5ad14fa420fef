// Raises errors: fail(ErrorCode::bad_model, "{}: node \"{}\" ...", path, name).
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "fp8q/error.h"

namespace fp8q {

template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// A name is cut after this many bytes where it is printed.
inline constexpr size_t kMaxPrintedName = 200;
// A message is cut after this many bytes where it is printed, whatever the file behind it holds.
inline constexpr size_t kMaxPrintedMessage = 4096;

// Makes untrusted text safe to print on one line: writes the bytes of characters that are not
// printable (base/utf8.h) and of invalid UTF-8 as "\x1b", and cuts the text after `most` bytes.
// Nothing is escaped twice: what it returns holds only printable characters.
std::string printable(std::string_view text, size_t most = kMaxPrintedName);

}  // namespace fp8q
