// Estimates of what falling back gains, unit by unit, from trials on text.
#pragma once

#include "study/fallback_unit.h"
#include "study/plan_search.h"
#include "study/sensitivity.h"

namespace fp8q {

// A unit's steps after the recipe's own format: `plans` after the first, then floating point.
struct HarmInputs {
  const Encoder& encoder;          // float
  const std::vector<Plan>& plans;  // of the recipe, then the same with each fallback format
  const std::vector<FallbackUnit>& units;
  const CostModel& costs;
  const SensitivityInputs& text;
};

// The moves there are, in the order in which they should be made. The harm of a unit in the
// recipe's format is the divergence with it alone rounded plus, where that is more than nothing,
// what leaving it out of everything takes away; in another format it is taken to be as much smaller
// as alone.
std::vector<Move> estimate_moves(const HarmInputs& inputs, const TrialProgress& progress);

}  // namespace fp8q
