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
// recipe's format is the divergence with it alone rounded plus what leaving it out of everything
// takes away, where that is more than chance; in another format it is taken to be as much smaller
// as alone. Chance: to leave out a unit cannot do harm, so divergences that grow by it show how far
// they scatter, and only what exceeds their root mean square counts.
//
// `trials` are divergences that are known already, in the order of trials, and gets those of the
// others: with the list of an interrupted call the estimate goes on where it was. `progress` is
// called after each new one.
std::vector<Move> estimate_moves(const HarmInputs& inputs, std::vector<double>& trials,
                                 const TrialProgress& progress);

}  // namespace fp8q
