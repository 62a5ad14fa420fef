// The range is the upper edge of the bin in which the percentile lies. It is never below the exact
// percentile, and above it by at most an eighth. If nearly all values are zero, the percentile is
// zero, which cannot be a range; absmax is used then.
#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "calibrate/observer_functions.h"

namespace fp8q {

float observe_percentile(const Evidence& evidence, Format, double percent) {
  FP8Q_ASSERT(percent > 0 && percent <= 100);
  const SiteStatistics& seen = evidence.statistics;
  const double rank = std::ceil(percent / 100 * static_cast<double>(seen.count()));
  uint64_t below = seen.zeros();
  if (static_cast<double>(below) >= rank) return seen.absmax();
  const auto histogram = seen.histogram();
  for (size_t bin = 0; bin + 1 < histogram.size(); ++bin) {
    below += histogram[bin];
    if (static_cast<double>(below) >= rank)
      return std::min(SiteStatistics::bin_lower(bin + 1), seen.absmax());
  }
  return seen.absmax();
}

}  // namespace fp8q
