// Defines codecs of small integers, exact and constexpr: two's complement in the low bits of a
// code.
//
// encode() rounds to nearest, ties to even, and saturates; NaN becomes 0.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fp8q {

template <int kCodeBits>
struct IntegerCodec {
  static_assert(kCodeBits >= 2 && kCodeBits <= 8);
  static constexpr bool kInteger = true;
  static constexpr int kBits = kCodeBits;

  static constexpr uint32_t encode(float x) {
    // Adding this constant, 1.5 * 2^23, to |x| < 2^22 leaves no bits for a fraction, so the sum is
    // rounded to an integer, to nearest even like all FP32 arithmetic here.
    constexpr float kRounder = 12582912.0f;
    if (x != x) return 0;
    const float rounded = (std::clamp(x, lowest(), largest()) + kRounder) - kRounder;
    return static_cast<uint32_t>(static_cast<int32_t>(rounded)) & ((1u << kBits) - 1);
  }
  static constexpr float decode(uint32_t code) { return static_cast<float>(integer(code)); }
  static constexpr int32_t integer(uint32_t code) {
    return static_cast<int32_t>(code << (32 - kBits)) >> (32 - kBits);
  }

  static constexpr float lowest() { return -static_cast<float>(1 << (kBits - 1)); }
  static constexpr float largest() { return -lowest() - 1; }
  static constexpr float step_at_zero() { return 1; }
};

using Int8Codec = IntegerCodec<8>;

static_assert(Int8Codec::largest() == 127.0f && Int8Codec::lowest() == -128.0f);

}  // namespace fp8q
