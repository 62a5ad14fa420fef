#include "calibrate/observer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "calibrate/observer_functions.h"

namespace fp8q {
namespace {

constexpr std::array kObservers = {
#define OBSERVER(id, ...) ObserverInfo{Observer::id, #id, __VA_ARGS__},
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

ObserverChoice ObserverChoice::parse(std::string_view text, const std::string& where) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto id = observer_named(name);
  if (!id) {
    std::vector<std::string_view> names;
    for (const auto& o : kObservers) names.push_back(o.name);
    fail(ErrorCode::usage, "{}: \"{}\" is no observer; there are {}", where, printable(name),
         fmt::join(names, ", "));
  }
  ObserverChoice choice(*id);
  if (colon == std::string_view::npos) return choice;
  const ObserverInfo& about = info(*id);
  if (about.parameter.empty()) fail(ErrorCode::usage, "{}: {} takes no parameter", where, name);
  const std::string_view number = text.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), choice.parameter);
  if (error != std::errc() || end != number.data() + number.size() ||
      !(choice.parameter >= about.smallest && choice.parameter <= about.largest))
    fail(ErrorCode::usage, "{}: {} takes a {} from {} to {}, not \"{}\"", where, name,
         about.parameter, about.smallest, about.largest, printable(number));
  return choice;
}

std::string ObserverChoice::text() const {
  const ObserverInfo& about = info(id);
  return about.parameter.empty() ? std::string(about.name)
                                 : fmt::format("{}:{}", about.name, parameter);
}

float range(const ObserverChoice& observer, const SiteStatistics& statistics, Format format) {
  switch (observer.id) {
#define OBSERVER(id, ...) \
  case Observer::id:      \
    return observe_##id(statistics, format, observer.parameter);
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
