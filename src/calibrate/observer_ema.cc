// Follows the moving average of the extremes of groups of 32 examples, in the order of the data.
// This is the static baseline of ZeroQuant (arXiv 2206.01861, section 3.1), x = m x + (1 - m) now
// with m = 0.95.
#include <algorithm>
#include <cmath>

#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_ema(const Evidence& evidence, Format, double momentum) {
  const auto range = evidence.statistics.moving_range(momentum);
  return std::max(std::fabs(range.min), std::fabs(range.max));
}

}  // namespace fp8q
