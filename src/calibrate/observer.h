// Observers determine the range of a Site from its statistics.
//
// range() returns the magnitude that is mapped to the largest code of the format; values beyond it
// saturate. Every observer serves every format. The rows are in observers.def.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "calibrate/prediction.h"
#include "calibrate/site_statistics.h"
#include "numeric/format.h"

namespace fp8q {

enum class Observer {
#define FP8Q_OBSERVER(id, ...) id,
#include "calibrate/observers.def"
#undef FP8Q_OBSERVER
};

struct ObserverInfo {
  Observer id;
  std::string_view name;
  std::string_view parameter;  // its meaning; empty: the observer has no parameter
  double default_parameter;
  double smallest, largest;  // limits of the parameter
  std::string_view description;
};

std::span<const ObserverInfo> all_observers();
const ObserverInfo& info(Observer observer);
std::optional<Observer> observer_named(std::string_view name);

// Names an observer with its parameter, as users write it: "mse", "percentile:99.999".
struct ObserverChoice {
  Observer id = Observer::absmax;
  double parameter = 0;  // 0 if the observer has no parameter

  ObserverChoice() = default;
  ObserverChoice(Observer observer)  // NOLINT: an observer is a choice, with its usual parameter
      : id(observer), parameter(info(observer).default_parameter) {}
  ObserverChoice(Observer observer, double value) : id(observer), parameter(value) {}

  // Uses the default parameter if the text has none. Throws an Error (usage) that begins with
  // `where` if there is no such observer, or if the observer does not take the parameter or the
  // parameter is out of range.
  static ObserverChoice parse(std::string_view text, const std::string& where);
  std::string text() const;  // parse(text()) is the same choice
  friend bool operator==(const ObserverChoice&, const ObserverChoice&) = default;
};

// Holds what is known about the values at a Site.
struct Evidence {
  const SiteStatistics& statistics;        // has no values if nothing was seen
  const Prediction* prediction = nullptr;  // `unit` needs it

  Evidence(const SiteStatistics& seen, const Prediction* predicted = nullptr)  // NOLINT: a view
      : statistics(seen), prediction(predicted) {}
};

// The result is finite and not negative. It is 0 if only zeros, or nothing, was seen (except for
// `fixed` and `unit`).
float range(const ObserverChoice& observer, const Evidence& evidence, Format format);

// A range follows from what calibration saw at the Site, from what the weights predict, or from
// neither.
bool needs_statistics(Observer observer);
bool needs_prediction(Observer observer);
// Returns whether the observer is meaningful for weights. Weights have no sequence of examples, and
// there is nothing to predict.
bool serves_weights(Observer observer);

// Holds the total squared error of quantizing with the range `range`, and the sum of squares to
// compare it with. Both are estimated from the histogram, assuming that the values of a bin are
// spread evenly over the bin.
struct ExpectedError {
  double signal = 0;
  double noise = 0;
};
ExpectedError expected_error(const SiteStatistics& statistics, Format format, float range);

// Runs the search of the observer mse with any measure of the error.
using NoiseOfRange = std::function<double(float range)>;
float least_noise_range(float absmax, const NoiseOfRange& noise_of);

// Returns 10 log10(signal / noise), which is infinite if there is no noise.
double decibels(double signal, double noise);

}  // namespace fp8q
