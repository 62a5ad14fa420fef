// Times engines side by side on one batch.
#pragma once

#include <span>
#include <vector>

#include "engine/engine.h"

namespace fp8q {

struct TimingRule {
  size_t repeat = 0;    // runs of each engine; 0: until each has run for min_time
  double min_time = 0;  // seconds
};

// Returns the seconds of every run, by engine. Engines take turns, after one round that is not
// counted.
std::vector<std::vector<double>> time_runs(std::span<Engine* const> engines,
                                           const PackedBatch& batch, const TimingRule& rule);

// Returns the mean of as many profiles as the rule asks for, but at least one.
std::vector<StageTime> mean_profile(Engine& engine, const PackedBatch& batch,
                                    const TimingRule& rule);

// Returns the value below which a share of the values lies, with linear interpolation between
// neighbors; 0.5 gives the median. `values` must not be empty.
double quantile(std::vector<double> values, double share);

}  // namespace fp8q
