// Computes the scale of one token's values, found at run time: absmax / largest, raised to the
// smallest normal FP32 (so that a row of zeros is exact, too). NaN and Inf stay.
//
// The scale is not cut to 12 bits as in scale_for(). That cut is for scales that a file stores.
// Here it could turn a difference in the last bit of two tokens' absmax into a difference of 2^-11
// between their scales.
#pragma once

#include <algorithm>
#include <limits>

#include "numeric/format.h"

namespace fp8q {

// `largest` is the largest value of the format.
constexpr float token_scale(float largest, float absmax) {
  return std::max(absmax / largest, std::numeric_limits<float>::min());
}
inline float token_scale(Format format, float absmax) {
  return token_scale(info(format).largest, absmax);
}

}  // namespace fp8q
