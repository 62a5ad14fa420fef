// The range is |mean| + k standard deviations. It needs few examples, because mean and deviation
// settle long before the extremes do. Values beyond the range saturate. If there are none, the
// range may exceed absmax.
#include <algorithm>
#include <cmath>
#include <limits>

#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_std(const Evidence& evidence, Format, double deviations) {
  const double range =
      std::fabs(evidence.statistics.mean()) + deviations * evidence.statistics.stddev();
  return static_cast<float>(
      std::min(range, static_cast<double>(std::numeric_limits<float>::max())));
}

}  // namespace fp8q
