// The scale of one token's values, found at run time: absmax / largest, raised to the smallest
// normal FP32 (a row of zeros is then exact, too). NaN and Inf stay.
//
// It is not cut to 12 bits as scale_for() cuts: the cut serves scales that a file stores, while
// here it would make two tokens whose absmax differ in the last bit only differ by 2^-11 in their
// scales.
#pragma once

#include <algorithm>
#include <limits>

#include "numeric/format.h"

namespace fp8q {

// `largest` is that of the format.
constexpr float token_scale(float largest, float absmax) {
  return std::max(absmax / largest, std::numeric_limits<float>::min());
}
inline float token_scale(Format format, float absmax) {
  return token_scale(info(format).largest, absmax);
}

}  // namespace fp8q
