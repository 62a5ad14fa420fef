// Finds the range that keeps most of the distribution's shape, as TensorRT's calibrator does (8-bit
// Inference with TensorRT, GTC 2017), for any grid.
//
// P is the distribution of magnitudes. Magnitudes beyond the last cell of the grid are moved into
// that cell. Q is the distribution that the format keeps. It is spread evenly over the occupied
// part of each cell, and does not count magnitudes beyond the last cell. The range minimizes
// KL(P || Q). With o the share beyond, l the share of the last cell, and W_c = sum over cell c of
// p log(p / q) for even q, KL(P || Q) is
//   sum_c W_c + (o / l) W_last + log(1 - o) + (l + o) log(1 + o / l),
// and infinite where o > 0 and l = 0.
//
// Candidates are 0.02 to 1 of absmax in steps of a hundredth, then the neighborhood of the best in
// steps of a thousandth. Differences below kResolution come from the histogram, not from the data.
// The larger range is used for these.
#include <algorithm>
#include <cmath>
#include <limits>

#include "calibrate/density.h"
#include "calibrate/observer_functions.h"

namespace fp8q {
namespace {

constexpr double kResolution = 1e-3;  // nats

double divergence(const Density& density, Format format, double range) {
  const auto& cells = cells_of(format);
  const double scale = static_cast<double>(scale_for(format, static_cast<float>(range)));
  const double total = density.all().count;
  double within = 0;  // sum of W_c, times the number of values
  double last_within = 0;
  double last_count = 0;
  Density::Sums low;
  for (const Cell& cell : cells) {
    const Density::Sums high = density.below(cell.high * scale);
    const Density::Sums in = high - low;
    low = high;
    last_count = in.count;
    last_within = in.count > 0 && in.support > 0
                      ? in.log_density - in.count * std::log(in.count / in.support)
                      : 0;
    within += last_within;
  }
  const double beyond = (total - low.count) / total;
  if (beyond < 1e-12) return within / total;
  const double last = last_count / total;
  if (last <= 0) return std::numeric_limits<double>::infinity();
  return (within + beyond / last * last_within) / total + std::log(1 - beyond) +
         (last + beyond) * std::log(1 + beyond / last);
}

struct Best {
  double share = 1;  // share of absmax
  double divergence = std::numeric_limits<double>::infinity();
};

// Tries the shares k / steps_per_one for k from `last` down to `first`.
Best search(const Density& density, Format format, double absmax, int first, int last,
            int steps_per_one) {
  Best best;
  for (int k = last; k >= first; --k) {
    const double share = static_cast<double>(k) / steps_per_one;
    const double d = divergence(density, format, share * absmax);
    if (d < best.divergence - kResolution) best = {share, d};
  }
  return best;
}

}  // namespace

float observe_entropy(const Evidence& evidence, Format format, double) {
  const double absmax = evidence.statistics.absmax();
  if (absmax == 0) return 0.0f;
  const Density density(evidence.statistics);
  const Best coarse = search(density, format, absmax, 2, 100, 100);
  const auto center = static_cast<int>(std::lround(coarse.share * 1000));
  const Best fine = search(density, format, absmax, center - 9, std::min(center + 9, 1000), 1000);
  return static_cast<float>(fine.share * absmax);
}

}  // namespace fp8q
