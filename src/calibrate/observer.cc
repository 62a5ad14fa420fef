#include "calibrate/observer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "base/error.h"
#include "calibrate/density.h"
#include "calibrate/observer_functions.h"

namespace fp8q {
namespace {

constexpr std::array kObservers = {
#define FP8Q_OBSERVER(id, ...) ObserverInfo{Observer::id, #id, __VA_ARGS__},
#include "calibrate/observers.def"
#undef FP8Q_OBSERVER
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
    names.reserve(kObservers.size());
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

bool needs_statistics(Observer observer) {
  return observer != Observer::fixed && observer != Observer::unit;
}

bool needs_prediction(Observer observer) { return observer == Observer::unit; }

bool serves_weights(Observer observer) {
  return observer != Observer::ema && observer != Observer::unit;
}

float range(const ObserverChoice& observer, const Evidence& evidence, Format format) {
  switch (observer.id) {
#define FP8Q_OBSERVER(id, ...) \
  case Observer::id:           \
    return observe_##id(evidence, format, observer.parameter);
#include "calibrate/observers.def"
#undef FP8Q_OBSERVER
  }
  FP8Q_ASSERT(!"observer without a function");
}

ExpectedError expected_error(const Density& density, Format format, float range) {
  const double scale = static_cast<double>(scale_for(format, range));
  ExpectedError error{density.all().second, 0};
  Density::Sums low;
  const auto& cells = cells_of(format);
  for (const Cell& cell : cells) {
    const bool last = &cell == &cells.back();
    const Density::Sums high = last ? density.all() : density.below(cell.high * scale);
    const Density::Sums in = high - low;
    low = high;
    const double x = cell.code * scale;
    error.noise += std::max(0.0, in.second - 2 * x * in.first + x * x * in.count);
  }
  return error;
}

ExpectedError expected_error(const SiteStatistics& statistics, Format format, float range) {
  return expected_error(Density(statistics), format, range);
}

double decibels(double signal, double noise) {
  if (noise == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(signal / noise);
}

}  // namespace fp8q
