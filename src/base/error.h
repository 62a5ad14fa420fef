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

// Makes untrusted text safe to print: escapes control characters and invalid UTF-8, and cuts the
// text after 200 bytes.
std::string printable(std::string_view text);

}  // namespace fp8q
