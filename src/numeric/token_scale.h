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

inline float token_scale(Format format, float absmax) {
  return std::max(absmax / info(format).largest, std::numeric_limits<float>::min());
}

}  // namespace fp8q
