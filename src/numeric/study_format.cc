#include "numeric/study_format.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/assert.h"

namespace fp8q {
namespace {

constexpr float power_of_two(int exponent) {
  return std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23);
}

// A format whose only special code is NaN, all ones: the largest value has the top exponent and all
// but the last mantissa bit.
constexpr StudyFormat without_infinity(std::string_view name, int exponent_bits,
                                       int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int top = (1 << exponent_bits) - 1 - bias;
  const float largest = power_of_two(top) * (2 - 2 * power_of_two(-mantissa_bits));
  return {name, mantissa_bits, 1 - bias, largest, -largest};
}

constexpr std::array kFormats = {
    without_infinity("e2m5", 2, 5),
    without_infinity("e3m4", 3, 4),
    without_infinity("e4m3", 4, 3),
    // The top exponent holds Inf and NaN.
    StudyFormat{"e5m2", 2, -14, E5M2Codec::largest(), -E5M2Codec::largest()},
    // Whole numbers: all of them lie where the step is 2^(7 - 7).
    StudyFormat{"int8", 7, 7, 127, -128},
};
static_assert(kFormats[0].largest == 7.75f && kFormats[1].largest == 30);
static_assert(kFormats[2].largest == E4M3Codec::largest());

}  // namespace

std::span<const StudyFormat> study_formats() { return kFormats; }

const StudyFormat& study_format(Format format) {
  for (const StudyFormat& f : kFormats)
    if (f.name == info(format).name) return f;
  FP8Q_ASSERT(!"format without a row");
}

std::optional<Format> format_of(const StudyFormat& format) { return format_named(format.name); }

float scale_for(const StudyFormat& format, float absmax) {
  return scale_to(format.largest, absmax);
}

void round_values(const StudyFormat& format, float scale, std::span<float> x) {
  constexpr uint32_t kExponent = 0x7F800000;
  const auto smallest = std::bit_cast<int32_t>(power_of_two(format.smallest_exponent));
  // Adding 1.5 * 2^23 steps to a number below 2^22 steps leaves no bits for a fraction of a step:
  // the sum is rounded to whole steps, to nearest even as all FP32 arithmetic.
  const float rounder = 1.5f * power_of_two(23 - format.mantissa_bits);
  const float largest = format.largest, lowest = format.lowest;
  for (float& value : x) {
    float quotient = value / scale;
    quotient = quotient > largest ? largest : quotient;
    quotient = quotient < lowest ? lowest : quotient;
    auto power = static_cast<int32_t>(std::bit_cast<uint32_t>(quotient) & kExponent);
    power = power > smallest ? power : smallest;
    const float magic = std::bit_cast<float>(power) * rounder;
    const float rounded = (quotient + magic) - magic;
    value = std::copysign(rounded, quotient) * scale;
  }
}

}  // namespace fp8q
