// Formats of 8 bits in general: which split into exponent and mantissa would fit a tensor best.
//
// For studies only: models are converted to the formats of format.h. E4M3, E5M2 and INT8 are here,
// too, and round exactly as there (tests/unit/numeric/study_format_test.cc), so that all splits are
// judged by one rule. Values are rounded in place without making codes; the loop vectorizes, which
// also makes it the fast way to try the formats of format.h on many values.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "numeric/format.h"

namespace fp8q {

// Values are sign * m * 2^(e - mantissa_bits) with whole m < 2^(mantissa_bits + 1) and
// e >= smallest_exponent; below 2^smallest_exponent the step stays what it is there (subnormals).
struct StudyFormat {
  std::string_view name;
  int mantissa_bits;
  int smallest_exponent;  // of normal numbers: 1 - bias
  float largest;
  float lowest;
};

// e2m5, e3m4, e4m3, e5m2, int8: from the most even to the widest range, INT8 last. As E4M3, the
// narrower ones have no Inf and one NaN; their bias is 2^(exponent bits - 1) - 1.
std::span<const StudyFormat> study_formats();
const StudyFormat& study_format(Format format);
std::optional<Format> format_of(const StudyFormat& format);  // nullopt: for studies only

// The rule of scale_for(Format, absmax).
float scale_for(const StudyFormat& format, float absmax);

// x becomes the value that encoding x / scale and decoding give: to nearest even, saturated, times
// scale. NaN stays NaN.
void round_values(const StudyFormat& format, float scale, std::span<float> x);

}  // namespace fp8q
