// Describes 8-bit formats in general, to find which split into exponent and mantissa fits a tensor
// best.
//
// These formats are for studies only; models are converted to the formats of format.h. E4M3, E5M2
// and INT8 are included and round exactly as in format.h (tests/unit/numeric/study_format_test.cc),
// so that all splits are judged by one rule. Values are rounded in place without making codes. The
// loop vectorizes, so it is also the fast way to try the formats of format.h on many values.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "numeric/format.h"

namespace fp8q {

// Values are sign * m * 2^(e - mantissa_bits) with whole m < 2^(mantissa_bits + 1) and e >=
// smallest_exponent. Below 2^smallest_exponent the step stays constant (subnormals).
struct StudyFormat {
  std::string_view name;
  int exponent_bits = 0;  // 0 if the values are evenly spaced
  int mantissa_bits = 0;
  int smallest_exponent = 0;  // exponent of the smallest normal number, 1 - bias
  float largest = 0;
  float lowest = 0;
};

// Returns e2m5, e3m4, e4m3, e5m2, int8: from the narrowest to the widest range, INT8 last. Like
// E4M3, the narrower formats have no Inf and one NaN; their bias is 2^(exponent bits - 1) - 1.
std::span<const StudyFormat> study_formats();
const StudyFormat& study_format(Format format);
std::optional<Format> format_of(const StudyFormat& format);  // nullopt: a format for studies only

// Applies the rule of scale_for(Format, absmax).
float scale_for(const StudyFormat& format, float absmax);

// Replaces x by the value that encoding x / scale and decoding give: rounded to nearest even,
// saturated, times scale. NaN stays NaN.
void round_values(const StudyFormat& format, float scale, std::span<float> x);

}  // namespace fp8q
