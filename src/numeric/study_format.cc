#include "numeric/study_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "numeric/integer_codec.h"

namespace fp8q {
namespace {

constexpr float power_of_two(int exponent) {
  return std::bit_cast<float>(static_cast<uint32_t>(exponent + 127) << 23);
}

template <class Codec>
constexpr StudyFormat of_codec(std::string_view name) {
  StudyFormat format{.name = name, .largest = Codec::largest(), .lowest = Codec::lowest()};
  if constexpr (Codec::kInteger) {
    // Whole numbers lie where the step, 2^(exponent - mantissa bits), is 1.
    format.mantissa_bits = format.smallest_exponent = Codec::kBits - 1;
  } else {
    format.exponent_bits = Codec::kExponent;
    format.mantissa_bits = Codec::kMantissa;
    format.smallest_exponent = 1 - Codec::kBias;
  }
  return format;
}

constexpr std::array kStudyFormats = {
    // No model is converted to these formats.
    of_codec<MiniFloat<2, 5, Specials::nan_only>>("e2m5"),
    of_codec<MiniFloat<3, 4, Specials::nan_only>>("e3m4"),
#define FP8Q_FORMAT(id, onnx_type, codec) of_codec<codec>(#id),
#include "numeric/formats.def"
#undef FP8Q_FORMAT
};
static_assert(
    [] {
      for (const StudyFormat& f : kStudyFormats)
        if (std::ranges::count(kStudyFormats, f.name, &StudyFormat::name) != 1) return false;
      return true;
    }(),
    "a format that models are converted to is no longer for studies only");
static_assert(kStudyFormats[0].largest == 7.75f && kStudyFormats[1].largest == 30);

}  // namespace

std::span<const StudyFormat> study_formats() { return kStudyFormats; }

const StudyFormat& study_format(Format format) {
  for (const StudyFormat& f : kStudyFormats)
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
  // the sum is rounded to whole steps, to nearest even like all FP32 arithmetic.
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
