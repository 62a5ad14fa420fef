// Moves ranges of activations between plans and tables of other tools (calibrate/range_table.h).
#pragma once

#include <filesystem>
#include <vector>

#include "calibrate/range_table.h"
#include "quantize/plan.h"

namespace fp8q {

// Takes ranges of activations from the table if they would otherwise follow from statistics. Throws
// an Error (bad_data) if the table lacks some of them. `source` is the table's file, which the
// reasons name.
void take_ranges(const RangeTable& table, const std::filesystem::path& source,
                 const std::vector<Site>& sites, PlanRequest& request);

// Returns the ranges of a plan's activations. Activations with a scale per token have none.
RangeTable ranges_of(const Plan& plan);

}  // namespace fp8q
