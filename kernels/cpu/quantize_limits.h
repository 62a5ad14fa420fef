// Says for which values quantizing by one scale needs no division and no care.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace fp8q::cpu {

// The quotient x / scale, correctly rounded, takes three multiply-adds if the reciprocal is
// correctly rounded and nothing underflows:
//
//   q = x * inverse;  q' = fma(fma(-q, scale, x), inverse, q)
//
// (P. Markstein, Computation of elementary functions on the IBM RISC System/6000 processor, 1990.
// The theorem leaves out divisors whose mantissa is all ones.) Rounding and division are monotonic,
// so that underflow and saturation can be told from the bits of |x|, which are ordered as the
// magnitudes are.
struct QuantizeLimits {
  float inverse;
  uint32_t zero;       // the largest magnitude whose code is zero
  uint32_t unclipped;  // up to this magnitude, neither x nor -x saturates
  uint32_t quick;      // up to this magnitude, the three multiply-adds can be used; 0: nowhere
  float above, below;  // x saturates if x > above or x < below

  template <class Codec>
  static QuantizeLimits of(float scale) {
    constexpr uint32_t kMantissa = 0x7FFFFF;
    QuantizeLimits l{.inverse = 1.0f / scale};
    // Quotients of values that a format can tell from zero are far from subnormal then, and the
    // largest fit an integer of 32 bits.
    if (!(scale >= 0x1p-80f && scale <= 0x1p80f)) return l;
    if ((std::bit_cast<uint32_t>(scale) & kMantissa) == kMantissa) return l;
    constexpr float kHalf = Codec::step_at_zero() / 2;
    constexpr float kOver = Codec::largest() + step_at_largest<Codec>() / 2;
    constexpr float kUnder = -Codec::lowest() + step_at_largest<Codec>() / 2;
    l.zero = largest(kHalf, scale);
    const uint32_t over = largest(kOver, scale), under = largest(kUnder, scale);
    l.unclipped = std::min(over, under);
    l.quick = std::bit_cast<uint32_t>(scale * 0x1p30f);
    l.above = std::bit_cast<float>(over);
    l.below = -std::bit_cast<float>(under);
    return l;
  }

 private:
  template <class Codec>
  static constexpr float step_at_largest() {
    if constexpr (Codec::kInteger) return 1.0f;
    else return Codec::largest() - Codec::decode(Codec::kMaxCode - 1);
  }
  // Returns the bits of the largest x whose quotient, rounded, is at most `limit`. It is close to
  // limit * scale.
  static uint32_t largest(float limit, float scale) {
    uint32_t bits = std::bit_cast<uint32_t>(limit * scale);
    while (std::bit_cast<float>(bits) / scale > limit) --bits;
    while (std::bit_cast<float>(bits + 1) / scale <= limit) ++bits;
    return bits;
  }
};

}  // namespace fp8q::cpu
