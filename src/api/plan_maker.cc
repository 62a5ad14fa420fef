#include "api/plan_maker.h"

#include "api/planning.h"
#include "api/predict.h"

namespace fp8q {

Plan PlanMaker::plan(const PlanRequest& request) {
  if (!predictions_ && bundle_.encoder && needs_predictions(request, bundle_.sites))
    predictions_ = predict(*bundle_.encoder);
  return make_plan(bundle_.model, bundle_.sites,
                   {&statistics_, predictions_ ? &*predictions_ : nullptr}, request);
}

PlanRequest PlanMaker::request(const Recipe& recipe, std::optional<Format> format,
                               const PlanOptions& options) const {
  Recipe in_format = recipe;
  if (format) in_format.weights = in_format.activations = *format;
  return recipe_request(in_format, bundle_.sites, options);
}

}  // namespace fp8q
