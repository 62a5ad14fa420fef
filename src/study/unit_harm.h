// Estimates what falling back gains, unit by unit, from trials on text.
#pragma once

#include "study/fallback_unit.h"
#include "study/plan_search.h"
#include "study/sensitivity.h"

namespace fp8q {

// Describes the steps of units. After the recipe's own format, a unit's steps are `plans` after the
// first, then floating point.
struct HarmInputs {
  const Encoder& encoder;          // the float encoder
  const std::vector<Plan>& plans;  // the recipe's, then one per fallback format
  const std::vector<FallbackUnit>& units;
  const CostModel& costs;
  const SensitivityInputs& text;
};

// Returns the moves in the order in which they should be made. The harm of a unit in the recipe's
// format is the divergence with the unit alone rounded, plus the divergence that leaving it out of
// everything removes, if that is more than chance. In another format both parts are assumed to
// shrink by the same ratio. Leaving out a unit cannot do harm, so divergences that grow by it show
// how far chance scatters them. Only gains that exceed the root mean square of these count.
//
// `trials` holds the divergences that are already known, in the order of trials, and gets those of
// the others. With the list of an interrupted call the estimate continues where it was. `progress`
// is called after each new trial.
std::vector<Move> estimate_moves(const HarmInputs& inputs, std::vector<double>& trials,
                                 const TrialProgress& progress);

}  // namespace fp8q
