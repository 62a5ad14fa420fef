// What `bench` tells of a cell of its grid: engines side by side on one batch, against the roofs of
// the machine.
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
  bool stages = false;  // whether the parts of the forward pass are measured as long, and kept
};

// A row for each engine, in their order; without fractions of roofs.
std::vector<BenchmarkRow> measure_cell(std::span<Engine* const> engines, const BenchCell& cell);

// Roofs are measured before the cells and after them; the better of both is nearer to what the
// machine can do.
void keep_best(const std::vector<Roof>& measured, std::vector<BenchmarkRoof>& roofs);

// Fills in what share of its unit's roof every row and stage reaches.
void add_roof_fractions(const std::vector<BenchmarkRoof>& roofs, std::vector<BenchmarkRow>& rows);

}  // namespace fp8q
