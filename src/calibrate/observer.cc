#include "calibrate/observer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "calibrate/observer_functions.h"

namespace fp8q {
namespace {

constexpr std::array kObservers = {
#define OBSERVER(id, description) ObserverInfo{Observer::id, #id, description},
#include "calibrate/observers.def"
#undef OBSERVER
};

}  // namespace

std::span<const ObserverInfo> all_observers() { return kObservers; }

const ObserverInfo& info(Observer observer) { return kObservers[static_cast<size_t>(observer)]; }

std::optional<Observer> observer_named(std::string_view name) {
  for (const auto& o : kObservers)
    if (o.name == name) return o.id;
  return std::nullopt;
}

float range(Observer observer, const SiteStatistics& statistics, Format format,
            const ObserverOptions& options) {
  switch (observer) {
#define OBSERVER(id, description) \
  case Observer::id:              \
    return observe_##id(statistics, format, options);
#include "calibrate/observers.def"
#undef OBSERVER
  }
  FP8Q_ASSERT(!"observer without a function");
}

ExpectedError expected_error(const SiteStatistics& statistics, Format format, float range) {
  // A bin spans an eighth of its exponent, about one step of E4M3: points inside it are needed, or
  // a grid that happens to hit the representatives would look free of error.
  constexpr int kPoints = 16;
  const float scale = scale_for(format, range);
  const float absmax = statistics.absmax();
  ExpectedError error;
  const auto histogram = statistics.histogram();
  for (size_t bin = 0; bin < histogram.size(); ++bin) {
    if (histogram[bin] == 0) continue;
    const double low = SiteStatistics::bin_lower(bin);
    const double high =  // the last bin ends at the largest value, and beyond it lies Inf
        std::min<double>(bin + 1 < histogram.size() ? SiteStatistics::bin_lower(bin + 1) : absmax,
                         absmax);
    const double weight = static_cast<double>(histogram[bin]) / kPoints;
    for (int i = 0; i < kPoints; ++i) {
      const auto x = static_cast<float>(low + (high - low) * (i + 0.5) / kPoints);
      const double back = static_cast<double>(decode(format, encode(format, x, scale)) * scale);
      const double difference = static_cast<double>(x) - back;
      error.signal += weight * static_cast<double>(x) * static_cast<double>(x);
      error.noise += weight * difference * difference;
    }
  }
  return error;
}

double decibels(double signal, double noise) {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace fp8q
