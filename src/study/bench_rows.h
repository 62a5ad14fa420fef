// Makes the rows that `bench` reports for a cell of its grid: engines side by side on one batch,
// against the roofs of the machine.
#pragma once

#include <span>
#include <vector>

#include "fp8q/benchmark.h"
#include "study/bench_encoder.h"
#include "study/bench_timing.h"

namespace fp8q {

struct BenchCell {
  RandomBatch batch;
  TimingRule rule;
  bool stages = false;  // also measure the stages of the forward pass
};

// Returns a row for each engine, in their order, without fractions of roofs.
std::vector<BenchmarkRow> measure_cell(std::span<Engine* const> engines, const BenchCell& cell);

// Roofs are measured before and after the cells. The better of the two is closer to what the
// machine can do.
void keep_best(const std::vector<Roof>& measured, std::vector<BenchmarkRoof>& roofs);

// Fills in the share of its unit's roof that every row and stage reaches.
void add_roof_fractions(const std::vector<BenchmarkRoof>& roofs, std::vector<BenchmarkRow>& rows);

}  // namespace fp8q
