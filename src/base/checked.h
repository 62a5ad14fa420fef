// Calculates with sizes that came from a file. The overflow test is inside the operation. The
// capped operations give 2^64 - 1 on overflow, for numbers that are only compared with limits.
#pragma once

#include <cstdint>
#include <optional>

namespace fp8q {

constexpr std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

constexpr std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

constexpr uint64_t capped_mul(uint64_t a, uint64_t b) {
  return checked_mul(a, b).value_or(UINT64_MAX);
}

constexpr uint64_t capped_add(uint64_t a, uint64_t b) {
  return checked_add(a, b).value_or(UINT64_MAX);
}

}  // namespace fp8q
