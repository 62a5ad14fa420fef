// Makes a Plan from a request. Planning changes no model.
#pragma once

#include <vector>

#include "quantize/evidence.h"
#include "quantize/plan.h"

namespace fp8q {

// The observers of weights must serve weights. Throws an Error (bad_data), which names the Site, if
// a Site that needs statistics has none (or no values). Throws an Error (bad_model) if a weight is
// not finite. Throws an Error (unsupported) if a weight is not of type float, or if a Site that
// needs a prediction has none. Throws an Error (usage) if a Site that was named must stay float, or
// if formats do not mix.
Plan make_plan(const Model& model, const std::vector<Site>& sites, const PlanEvidence& evidence,
               const PlanRequest& request);
// Makes the Plan that a recipe alone asks for.
Plan make_plan(const Model& model, const std::vector<Site>& sites, const PlanEvidence& evidence,
               const Recipe& recipe, const PlanOptions& options);

}  // namespace fp8q
