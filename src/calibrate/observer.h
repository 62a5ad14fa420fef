// Observers: how the range of a Site follows from its statistics.
//
// range() returns the magnitude that is mapped to the largest code of the format; values beyond it
// saturate. Every observer serves every format. Rows are in observers.def.
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
  std::string_view parameter;  // what it is; empty: the observer has none
  double default_parameter;
  double smallest, largest;  // the parameter may be
  std::string_view description;
};

std::span<const ObserverInfo> all_observers();
const ObserverInfo& info(Observer observer);
std::optional<Observer> observer_named(std::string_view name);

// An observer with its parameter, as users write it: "mse", "percentile:99.999".
struct ObserverChoice {
  Observer id = Observer::absmax;
  double parameter = 0;  // 0 where the observer has none

  ObserverChoice() = default;
  ObserverChoice(Observer observer)  // NOLINT: an observer is a choice, with its usual parameter
      : id(observer), parameter(info(observer).default_parameter) {}
  ObserverChoice(Observer observer, double value) : id(observer), parameter(value) {}

  // Without a parameter the usual one is taken. Error (usage), beginning with `where`: no such
  // observer, or a parameter that it does not take or that is out of range.
  static ObserverChoice parse(std::string_view text, const std::string& where);
  std::string text() const;  // parse(text()) is the same choice
  friend bool operator==(const ObserverChoice&, const ObserverChoice&) = default;
};

// What is known of the values at a Site.
struct Evidence {
  const SiteStatistics& statistics;        // without values where nothing was seen
  const Prediction* prediction = nullptr;  // `unit` needs it

  Evidence(const SiteStatistics& seen, const Prediction* predicted = nullptr)  // NOLINT: a view
      : statistics(seen), prediction(predicted) {}
};

// Finite and not negative. 0 where only zeros, or nothing, was seen (`fixed` and `unit` apart).
float range(const ObserverChoice& observer, const Evidence& evidence, Format format);

// What a range follows from: what calibration saw at the Site, what its weights predict, or
// nothing.
bool needs_statistics(Observer observer);
bool needs_prediction(Observer observer);
// Whether it says something about weights, which have no examples to follow each other and are not
// to be predicted.
bool serves_weights(Observer observer);

// The squared error that quantizing with the range `range` makes in total, and the sum of squares
// it is to be compared with, both estimated from the histogram: the values of a bin are taken to be
// spread evenly over it.
struct ExpectedError {
  double signal = 0;
  double noise = 0;
};
ExpectedError expected_error(const SiteStatistics& statistics, Format format, float range);

// The search of the observer mse for any measure of the error.
using NoiseOfRange = std::function<double(float range)>;
float least_noise_range(float absmax, const NoiseOfRange& noise_of);

// 10 log10(signal / noise); infinite where there is no noise.
double decibels(double signal, double noise);

}  // namespace fp8q
