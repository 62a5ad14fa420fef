// The range whose squared error is smallest: 111 candidates from 0.1 to 1.2 of absmax in steps of a
// hundredth, then the neighbourhood of the best in steps of a thousandth. Ties go to the smaller
// range.
#include <cmath>

#include "calibrate/observer_functions.h"

namespace fp8q {
namespace {

struct Best {
  float range = 0;
  double noise = 0;
};

// Candidates absmax * k / steps_per_one for k in [first, last].
Best search(const SiteStatistics& statistics, Format format, int first, int last,
            int steps_per_one) {
  Best best;
  for (int k = first; k <= last; ++k) {
    const auto candidate =
        static_cast<float>(static_cast<double>(statistics.absmax()) * k / steps_per_one);
    if (!std::isfinite(candidate)) break;
    const double noise = expected_error(statistics, format, candidate).noise;
    if (k == first || noise < best.noise) best = {candidate, noise};
  }
  return best;
}

}  // namespace

float observe_mse(const SiteStatistics& statistics, Format format, const ObserverOptions&) {
  if (statistics.absmax() == 0.0f) return 0.0f;
  const Best coarse = search(statistics, format, 10, 120, 100);
  const auto centre = static_cast<int>(std::lround(
      static_cast<double>(coarse.range) / static_cast<double>(statistics.absmax()) * 1000));
  const Best fine = search(statistics, format, centre - 9, centre + 9, 1000);
  return fine.noise < coarse.noise ? fine.range : coarse.range;
}

}  // namespace fp8q
