// FP8Q_ASSERT checks an internal invariant. It aborts in every build type; never use it to validate
// input.
#pragma once

namespace fp8q {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace fp8q

#define FP8Q_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::fp8q::assertion_failed(#condition, __FILE__, __LINE__))
