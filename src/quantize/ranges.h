// Ranges of activations that go between plans and tables of other tools (calibrate/range_table.h).
#pragma once

#include <filesystem>
#include <vector>

#include "calibrate/range_table.h"
#include "quantize/plan.h"

namespace fp8q {

// Takes the ranges of activations that would follow from statistics from the table instead. Error
// (bad_data) where the table lacks some. `source` is its file, for reasons.
void take_ranges(const RangeTable& table, const std::filesystem::path& source,
                 const std::vector<Site>& sites, PlanRequest& request);

// The ranges of a plan's activations; those with a scale per token have none.
RangeTable ranges_of(const Plan& plan);

}  // namespace fp8q
