#include "study/plan_maker.h"

#include "study/predict.h"

namespace fp8q {

Plan PlanMaker::plan(const PlanRequest& request) {
  if (!predictions_ && source_.encoder && needs_predictions(request, source_.sites))
    predictions_ = predict(*source_.encoder);
  return make_plan(source_.model, source_.sites,
                   {source_.statistics, predictions_ ? &*predictions_ : nullptr}, request);
}

PlanRequest PlanMaker::request(const Recipe& recipe, std::optional<Format> format,
                               const PlanOptions& options) const {
  Recipe in_format = recipe;
  if (format) in_format.weights = in_format.activations = *format;
  return recipe_request(in_format, source_.sites, options);
}

}  // namespace fp8q
