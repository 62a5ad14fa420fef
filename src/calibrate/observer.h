// Observers: how the range of a Site follows from its statistics.
//
// range() returns the magnitude that is mapped to the largest code of the format; values beyond it
// saturate. Every observer serves every format. Rows are in observers.def.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "calibrate/site_statistics.h"
#include "numeric/format.h"

namespace fp8q {

enum class Observer {
#define OBSERVER(id, description) id,
#include "calibrate/observers.def"
#undef OBSERVER
};

struct ObserverInfo {
  Observer id;
  std::string_view name;
  std::string_view description;
};

struct ObserverOptions {
  double percentile = 99.99;  // in (0, 100]
};

std::span<const ObserverInfo> all_observers();
const ObserverInfo& info(Observer observer);
std::optional<Observer> observer_named(std::string_view name);

// Finite and not negative; 0 where only zeros, or nothing, was seen.
float range(Observer observer, const SiteStatistics& statistics, Format format,
            const ObserverOptions& options = {});

// The squared error that quantising with the range `range` makes in total, and the sum of squares
// it is to be compared with, both estimated from the histogram: the values of a bin are taken to be
// spread evenly over it.
struct ExpectedError {
  double signal = 0;
  double noise = 0;
};
ExpectedError expected_error(const SiteStatistics& statistics, Format format, float range);

// 10 log10(signal / noise); infinite where there is no noise.
double decibels(double signal, double noise);

}  // namespace fp8q
