#include "quantize/request.h"

#include <algorithm>

#include "base/error.h"

namespace fp8q {
namespace {

// Returns why a recipe leaves a role in floating point, or an empty text if it does not.
std::string float_reason(const Recipe& recipe, SiteRole role, bool quantize_head) {
  if (covers(recipe, role)) return "";
  if (role == SiteRole::head)
    return quantize_head ? "" : "the head stays in floating point unless --quantize-head is given";
  if (!is_operand(role))
    return fmt::format("recipe {} quantizes operands of products only", recipe.name);
  return fmt::format("recipe {} does not quantize this product", recipe.name);
}

bool any_activation(const PlanRequest& request, const std::vector<Site>& sites,
                    bool (*needs)(Observer)) {
  for (size_t i = 0; i < sites.size(); ++i)
    if (sites[i].kind == SiteKind::activation && request.sites[i].format &&
        request.sites[i].granularity != Granularity::token && needs(request.sites[i].observer.id))
      return true;
  return false;
}

SiteRequest request_of(const Recipe& recipe, const Site& site, const PlanOptions& options) {
  const std::string reason = recipe_reason(recipe.name);
  if (site.kind == SiteKind::weight)
    return {recipe.weights, recipe.weight_granularity, options.weight_observer, reason, ""};
  SiteRequest request{recipe.activations, recipe.activation_granularity, options.observer, reason,
                      ""};
  // Softmax never exceeds 1, whatever the data. TensorRT's fused attention also requires this
  // range.
  if (site.role == SiteRole::probabilities && request.granularity == Granularity::tensor)
    request.observer = {Observer::fixed, 1.0};
  return request;
}

}  // namespace

std::string recipe_reason(std::string_view recipe) { return fmt::format("recipe {}", recipe); }

bool is_recognized(const std::vector<Site>& sites) {
  return std::ranges::any_of(sites, [](const Site& site) {
    return site.role != SiteRole::other && site.role != SiteRole::probabilities &&
           site.role != SiteRole::head;
  });
}

PlanRequest recipe_request(const Recipe& recipe, const std::vector<Site>& sites,
                           const PlanOptions& options) {
  const bool recognized = is_recognized(sites);
  if (is_naive(recipe) && !recognized)
    fail(ErrorCode::unsupported,
         "recipe {} quantizes residual sums and results, which are known in recognized encoders "
         "only: choose another recipe",
         recipe.name);
  PlanRequest request{.recipe = std::string(recipe.name), .options = options, .sites = {}};
  for (const Site& site : sites) {
    SiteRequest wanted = request_of(recipe, site, options);
    if (recognized || site.role == SiteRole::head)
      if (auto reason = float_reason(recipe, site.role, options.quantize_head); !reason.empty()) {
        wanted.format.reset();
        wanted.reason = std::move(reason);
      }
    request.sites.push_back(std::move(wanted));
  }
  return request;
}

bool needs_statistics(const PlanRequest& request, const std::vector<Site>& sites) {
  return request.options.smooth_quant || any_activation(request, sites, needs_statistics);
}

bool needs_predictions(const PlanRequest& request, const std::vector<Site>& sites) {
  return any_activation(request, sites, needs_prediction);
}

}  // namespace fp8q
