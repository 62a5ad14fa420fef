// From what is asked for to a Plan. Planning changes nothing.
#pragma once

#include <vector>

#include "quantize/evidence.h"
#include "quantize/plan.h"

namespace fp8q {

// The observers of weights must serve them. Errors: bad_data where a Site that needs statistics has
// none (or no values), naming it; bad_model where a weight is not finite; unsupported where a
// weight is not of type float, or where a Site that needs a prediction has none; usage where a Site
// that was named must stay float, or formats do not mix.
Plan make_plan(const Model& model, const std::vector<Site>& sites, const PlanEvidence& evidence,
               const PlanRequest& request);
// What a recipe alone asks for.
Plan make_plan(const Model& model, const std::vector<Site>& sites, const PlanEvidence& evidence,
               const Recipe& recipe, const PlanOptions& options);

}  // namespace fp8q
