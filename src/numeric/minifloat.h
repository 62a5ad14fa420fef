// Defines codecs of the small floating-point formats, exact and constexpr.
//
// MiniFloat<E, M, specials> has 1 sign, E exponent and M mantissa bits, exponent bias 2^(E-1) - 1
// and gradual underflow. encode() rounds the FP32 value itself to nearest, ties to even, in one
// step, because an intermediate half-precision value would round twice. decode() is exact, and
// decode(encode(x)) == x for every representable x.
//
// Layouts and the meaning of `saturate` follow OCP OFP8 and ONNX (Cast, QuantizeLinear):
// - saturate = true: +-Inf and everything beyond the largest finite value become +- the largest;
//   NaN stays NaN.
// - saturate = false: overflow and Inf become Inf if the format has one, otherwise NaN.
#pragma once

#include <bit>
#include <cstdint>

namespace fp8q {

enum class Specials {
  ieee,      // top exponent: Inf and NaN (E5M2, FP16)
  nan_only,  // only the all-ones code is NaN, no Inf (E4M3FN)
};

template <int kExponentBits, int kMantissaBits, Specials kSpecials>
struct MiniFloat {
  static constexpr bool kInteger = false;
  static constexpr int kBits = 1 + kExponentBits + kMantissaBits;
  static constexpr int kExponent = kExponentBits;
  static constexpr int kMantissa = kMantissaBits;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr uint32_t kSign = 1u << (kBits - 1);
  static constexpr uint32_t kTopExponent = ((1u << kExponentBits) - 1) << kMantissaBits;
  static constexpr bool kHasInf = kSpecials == Specials::ieee;
  static constexpr uint32_t kMaxCode = kHasInf ? kTopExponent - 1 : kSign - 2;
  static constexpr uint32_t kNanCode = kSign - 1;
  static constexpr uint32_t kOverflowCode = kHasInf ? kTopExponent : kNanCode;

  static_assert(kExponentBits >= 2 && kExponentBits < 8 && kMantissaBits >= 1 && kBits <= 16);

  static constexpr uint32_t encode(float x, bool saturate = true) {
    const auto bits = std::bit_cast<uint32_t>(x);
    const uint32_t sign = (bits >> 31) * kSign;
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude > kF32Inf) return sign | kNanCode;
    const uint32_t code = magnitude == kF32Inf ? kOverflowCode : round_magnitude(magnitude);
    if (code <= kMaxCode) return sign | code;
    return sign | (saturate ? kMaxCode : kOverflowCode);
  }

  static constexpr float decode(uint32_t code) {
    const uint32_t sign = (code & kSign) ? 0x80000000u : 0u;
    const uint32_t magnitude = code & (kSign - 1);
    if (magnitude > kMaxCode) {
      const bool inf = kHasInf && magnitude == kTopExponent;
      return std::bit_cast<float>(sign | (inf ? kF32Inf : kF32Nan));
    }
    if (magnitude < (1u << kMantissaBits)) {  // zero or subnormal: mantissa * 2^(1 - bias - M)
      const float quantum =
          std::bit_cast<float>(static_cast<uint32_t>(128 - kBias - kMantissaBits) << 23);
      return std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(magnitude) * quantum) |
                                  sign);
    }
    return std::bit_cast<float>(sign | ((magnitude << kShift) + kRebias));
  }

  static constexpr float lowest() { return -largest(); }
  static constexpr float largest() { return decode(kMaxCode); }
  static constexpr float smallest_normal() { return decode(1u << kMantissaBits); }
  static constexpr float smallest_subnormal() { return decode(1); }
  static constexpr float step_at_zero() { return smallest_subnormal(); }

 private:
  static constexpr uint32_t kF32Inf = 0x7F800000;
  static constexpr uint32_t kF32Nan = 0x7FC00000;
  static constexpr int kShift = 23 - kMantissaBits;
  static constexpr uint32_t kRebias = static_cast<uint32_t>(127 - kBias) << 23;

  // Rounds v / 2^shift to nearest, ties to even.
  static constexpr uint32_t shift_right_nearest_even(uint32_t v, int shift) {
    return (v + (1u << (shift - 1)) - 1 + ((v >> shift) & 1)) >> shift;
  }

  // Returns the code of a finite magnitude before the range check. A carry out of the mantissa
  // moves to the next exponent.
  static constexpr uint32_t round_magnitude(uint32_t magnitude) {
    const int exponent = static_cast<int>(magnitude >> 23) - 127;
    constexpr int kSmallestExponent = 1 - kBias;
    if (exponent >= kSmallestExponent)
      return shift_right_nearest_even(magnitude, kShift) - (kRebias >> kShift);
    // Below the normal range the quantum is fixed at 2^(1 - bias - M). For shifts beyond 25 bits
    // even the implicit one is under half a quantum; this covers the subnormal FP32 values too.
    const int shift = kShift + kSmallestExponent - exponent;
    if (shift > 25) return 0;
    return shift_right_nearest_even((magnitude & 0x7FFFFF) | 0x800000, shift);
  }
};

// BF16 is the upper half of FP32.
struct BFloat16Codec {
  static constexpr uint32_t encode(float x, bool /*saturate*/ = false) {
    const auto bits = std::bit_cast<uint32_t>(x);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) return (bits >> 16) | 0x40;  // a NaN stays a NaN
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  }
  static constexpr float decode(uint32_t code) { return std::bit_cast<float>(code << 16); }
  static constexpr float largest() { return decode(0x7F7F); }
  static constexpr float smallest_normal() { return decode(0x0080); }
  static constexpr float smallest_subnormal() { return decode(1); }
};

using E4M3Codec = MiniFloat<4, 3, Specials::nan_only>;
using E5M2Codec = MiniFloat<5, 2, Specials::ieee>;
using Float16Codec = MiniFloat<5, 10, Specials::ieee>;

static_assert(E4M3Codec::largest() == 448.0f && E4M3Codec::kMaxCode == 0x7E);
static_assert(E5M2Codec::largest() == 57344.0f && E5M2Codec::kMaxCode == 0x7B);
static_assert(Float16Codec::largest() == 65504.0f);

}  // namespace fp8q
