// Finds the range whose squared error is smallest. The search tries 111 candidates from 0.1 to 1.2
// of absmax in steps of a hundredth, then the neighborhood of the best in steps of a thousandth.
// Ties go to the smaller range.
#include <cmath>

#include "calibrate/density.h"
#include "calibrate/observer_functions.h"

namespace fp8q {
namespace {

struct Best {
  float range = 0;
  double noise = 0;
};

// Tries the candidates absmax * k / steps_per_one for k in [first, last].
Best search(float absmax, const NoiseOfRange& noise_of, int first, int last, int steps_per_one) {
  Best best;
  for (int k = first; k <= last; ++k) {
    const auto candidate = static_cast<float>(static_cast<double>(absmax) * k / steps_per_one);
    if (!std::isfinite(candidate)) break;
    const double noise = noise_of(candidate);
    if (k == first || noise < best.noise) best = {candidate, noise};
  }
  return best;
}

}  // namespace

float least_noise_range(float absmax, const NoiseOfRange& noise_of) {
  if (absmax == 0.0f) return 0.0f;
  const Best coarse = search(absmax, noise_of, 10, 120, 100);
  const auto center = static_cast<int>(
      std::lround(static_cast<double>(coarse.range) / static_cast<double>(absmax) * 1000));
  const Best fine = search(absmax, noise_of, center - 9, center + 9, 1000);
  return fine.noise < coarse.noise ? fine.range : coarse.range;
}

float observe_mse(const Evidence& evidence, Format format, double) {
  const Density density(evidence.statistics);
  return least_noise_range(evidence.statistics.absmax(), [&](float range) {
    return expected_error(density, format, range).noise;
  });
}

}  // namespace fp8q
