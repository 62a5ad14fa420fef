#include "quantize/planner.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/threads.h"
#include "quantize/constants.h"
#include "quantize/memory_needs.h"
#include "quantize/plan_smoothing.h"
#include "quantize/products.h"
#include "quantize/tables.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

// Describes for people how an observer was used: "mse of each output channel".
std::string described(const ObserverChoice& observer, const std::string& of) {
  if (observer.id == Observer::fixed) return fmt::format("range fixed at {}", observer.parameter);
  return fmt::format("{} of {}", observer.text(), of);
}

std::string group_name(const Granularity& granularity) {
  switch (granularity.kind) {
    case Granularity::Kind::tensor:
      return "the tensor";
    case Granularity::Kind::channel:
      return "each output channel";
    case Granularity::Kind::groups:
      return fmt::format("each of {} groups of output channels", granularity.size);
    case Granularity::Kind::block:
      return fmt::format("each block of {} input channels", granularity.size);
    case Granularity::Kind::tile:
      return fmt::format("each tile of {0} by {0}", granularity.size);
    case Granularity::Kind::token:
      return "each token";
  }
  return "";
}

// Plans a constant operand.
void plan_weight(SitePlan& plan, const Site& site, const GraphIndex& index) {
  const Tensor weight = planned_weight(index, plan);
  FP8Q_ASSERT(serves_weights(plan.observer.id));
  check_weight(weight, site.value);
  if (!site.channel_axis && plan.granularity == Granularity::channel)
    plan.granularity = Granularity::tensor;
  WeightScales scales = observed_scales(weight, plan.format, plan.granularity, site.channel_axis,
                                        plan.observer, printable(site.path));
  plan.axis = scales.axis;
  plan.scales = std::move(scales.scales);
  for (float& scale : plan.scales) scale = storable_scale(scale, plan.dtype);
  plan.absmax = scales.absmax;
  plan.zero_channels = scales.zero_channels;
  const Tensor codes = quantized(weight, plan.format, plan.axis, plan.scales);
  plan.sqnr_db = sqnr_db(weight, dequantized(codes, plan.format, plan.axis, plan.scales));
  plan.reason = described(plan.observer, group_name(plan.granularity));
  if (plan.zero_channels > 0)
    plan.reason += fmt::format("; {} channels of zeros have scale 1", plan.zero_channels);
}

void check_predicted(const Site& site, const Prediction* found) {
  if (!found)
    fail(ErrorCode::unsupported,
         "observer unit cannot tell the range of {}: its values do not follow from weights alone, "
         "or the model is not recognized as an encoder; choose another observer for it",
         printable(site.path));
}

void plan_activation(SitePlan& plan, const Site& site, const Statistics* statistics,
                     const Prediction* predicted) {
  const std::string smoothed =
      plan.factors.empty() ? "" : fmt::format(", smoothed with alpha {}", plan.alpha);
  if (plan.per_token()) {
    plan.reason = "absmax of each token, found at run time" + smoothed;
    return;
  }
  plan.granularity = Granularity::tensor;
  if (needs_prediction(plan.observer.id)) check_predicted(site, predicted);
  const SiteStatistics* seen = needs_statistics(plan.observer.id)
                                   ? &needed_statistics(site, statistics)
                               : statistics ? statistics->find(site.value)
                                            : nullptr;
  plan.absmax =
      plan.factors.empty()
          ? range(plan.observer, {seen ? *seen : SiteStatistics{}, predicted}, plan.format)
          : smoothed_absmax(*seen, plan.factors);
  plan.reason = described(plan.observer, needs_prediction(plan.observer.id)
                                             ? "what the weights predict"
                                             : fmt::format("{} values", seen ? seen->count() : 0)) +
                smoothed;
  plan.scales = {storable_scale(scale_for(plan.format, plan.absmax), plan.scale_dtype())};
  if (plan.absmax == 0.0f) {
    plan.zero_channels = 1;
    plan.reason += "; only zeros were seen, so the scale is 1";
  }
  if (!seen) return;
  if (plan.factors.empty()) {
    const ExpectedError error = expected_error(*seen, plan.format, plan.absmax);
    plan.sqnr_db = decibels(error.signal, error.noise);
  }
  plan.nonfinite = seen->nonfinite();
  if (plan.nonfinite > 0)
    plan.reason += fmt::format("; {} values that are not finite were ignored", plan.nonfinite);
}

// Plans a Site by its request and the products it feeds. Changes the request to what the Site gets.
void plan_site(SitePlan& plan, const Site& site, const std::map<size_t, Product>& products,
               bool is_output, SiteRequest& request) {
  plan.path = site.path;
  plan.value = site.value;
  plan.dtype = site.dtype;
  plan.kind = site.kind;
  std::string float_reason;
  if (is_operand(site.role)) {
    for (const Use& use : site.uses) {
      const std::string& reason = products.at(use.node).float_reason;
      if (reason.empty()) plan.uses.push_back(use);
      else if (float_reason.empty()) float_reason = reason;
    }
  } else if (request.format) {
    plan.uses = site.uses;
    plan.output = is_output;
  }
  if (plan.quantized()) {
    plan.format = *request.format;
    plan.granularity = request.granularity;
    plan.observer = request.observer;
    return;
  }
  if (!request.required_by.empty())
    fail(ErrorCode::usage, "{}: {} cannot be {}: {}", request.required_by, printable(site.path),
         info(*request.format).name, float_reason);
  if (request.format) request.reason = float_reason;
  request.format.reset();
  plan.reason = request.reason;
}

// Where a residual sum is quantized, it adds the rounded numbers of a quantized input that has one
// scale and no factors.
void plan_residuals(const std::vector<Site>& sites, Plan& plan) {
  const auto sum_is_quantized = [&](const Site& input) {
    const auto role = input.role == SiteRole::attention_input ? SiteRole::attention_residual
                                                              : SiteRole::ffn_residual;
    for (size_t i = 0; i < sites.size(); ++i)
      if (sites[i].layer == input.layer && sites[i].role == role) return plan.sites[i].quantized();
    return false;
  };
  for (size_t i = 0; i < sites.size(); ++i)
    if (sites[i].residual && plan.sites[i].quantized() && !plan.sites[i].per_token() &&
        plan.sites[i].factors.empty() && sum_is_quantized(sites[i]))
      plan.sites[i].residual = sites[i].residual;
}

}  // namespace

Plan make_plan(const Model& model, const std::vector<Site>& sites, const PlanEvidence& evidence,
               const PlanRequest& request) {
  FP8Q_ASSERT(request.sites.size() == sites.size());
  const GraphIndex index(model.graph);
  const auto products = choose_products(index, sites, request.sites);
  Plan plan{request, {}, {}, {}};
  plan.sites.resize(sites.size());
  for (size_t i = 0; i < sites.size(); ++i)
    plan_site(plan.sites[i], sites[i], products, index.is_graph_output(sites[i].value),
              plan.request.sites[i]);
  if (const auto& wanted = request.options.smooth_quant)
    plan_smoothing(index, sites, products, evidence.statistics, *wanted, plan.sites);
  const auto plan_one = [&](size_t i) {
    SitePlan& p = plan.sites[i];
    if (!p.quantized()) return;
    if (p.kind == SiteKind::weight) plan_weight(p, sites[i], index);
    else plan_activation(p, sites[i], evidence.statistics, evidence.prediction(i));
    // Decisions of the recipe alone need no mention.
    const std::string& why = request.sites[i].reason;
    if (!why.empty() && why != recipe_reason(request.recipe)) p.reason += "; " + why;
  };
  parallel_for(sites.size(), plan_one, ConversionNeeds(index, sites, request).side_by_side());
  plan_residuals(sites, plan);
  plan.tables = plan_tables(index, request.options.quantize_embeddings);
  return plan;
}

Plan make_plan(const Model& model, const std::vector<Site>& sites, const PlanEvidence& evidence,
               const Recipe& recipe, const PlanOptions& options) {
  return make_plan(model, sites, evidence, recipe_request(recipe, sites, options));
}

}  // namespace fp8q
