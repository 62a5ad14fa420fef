#include "quantize/plan.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/threads.h"
#include "quantize/constants.h"
#include "quantize/products.h"
#include "quantize/tables.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

// A constant operand along its output channels, by absmax.
void plan_weight(SitePlan& plan, const Site& site, const GraphIndex& index, const Recipe& recipe) {
  const auto weight = constant_contents(index, site.value);
  FP8Q_ASSERT(weight.has_value());  // choose_products() made sure
  if (weight->dtype() != DType::f32)
    fail(
        ErrorCode::unsupported,
        "weight \"{}\" enters its product as {}, only float is quantised: export the model in FP32",
        printable(site.value), name(weight->dtype()));
  check_finite(*weight, site.value);
  plan.format = recipe.weights;
  if (recipe.weight_granularity == Granularity::channel && site.channel_axis) {
    plan.granularity = Granularity::channel;
    plan.axis = site.channel_axis;
  }
  WeightScales scales = absmax_scales(*weight, plan.format, plan.axis);
  plan.scales = std::move(scales.scales);
  plan.absmax = scales.absmax;
  plan.absmax_code = scales.absmax_code;
  plan.zero_channels = scales.zero_channels;
  const Tensor codes = quantized(*weight, plan.format, plan.axis, plan.scales);
  plan.sqnr_db = sqnr_db(*weight, dequantized(codes, plan.format, plan.axis, plan.scales));
  plan.reason = plan.axis ? "absmax of each output channel" : "absmax";
  if (plan.zero_channels > 0)
    plan.reason += fmt::format("; {} channels of zeros have scale 1", plan.zero_channels);
}

const SiteStatistics& needed_statistics(const Site& site, const Statistics* statistics) {
  if (!statistics)
    fail(ErrorCode::bad_data,
         "activation {} (\"{}\") needs calibration statistics: run fp8q calibrate first",
         printable(site.path), printable(site.value));
  const SiteStatistics* found = statistics->find(site.value);
  if (!found)
    fail(ErrorCode::bad_data,
         "the statistics have no Site {} (\"{}\"): they were made from another model or by another "
         "version of fp8q; calibrate again",
         printable(site.path), printable(site.value));
  if (found->count() == 0)
    fail(ErrorCode::bad_data,
         "the statistics of Site {} (\"{}\") hold {}: calibrate again with "
         "data that reaches it",
         printable(site.path), printable(site.value),
         found->nonfinite() ? "only values that are not finite" : "no values");
  return *found;
}

void plan_activation(SitePlan& plan, const Site& site, const Statistics* statistics,
                     const Recipe& recipe, const PlanOptions& options) {
  plan.format = recipe.activations;
  const SiteStatistics* seen = nullptr;
  if (site.role == SiteRole::probabilities) {
    // Softmax never exceeds 1, whatever the data: the range that TensorRT's fused attention
    // requires too.
    plan.absmax = 1.0f;
    plan.reason = "fixed: probabilities do not exceed 1";
    seen = statistics ? statistics->find(site.value) : nullptr;
  } else {
    seen = &needed_statistics(site, statistics);
    plan.absmax = range(options.observer, *seen, plan.format, options.observer_options);
    plan.reason = fmt::format("{} of {} values", info(options.observer).name, seen->count());
  }
  const float scale = scale_for(plan.format, plan.absmax);
  plan.scales = {scale};
  plan.absmax_code = encode(plan.format, plan.absmax, scale);
  if (plan.absmax == 0.0f) {
    plan.zero_channels = 1;
    plan.reason += "; only zeros were seen, so the scale is 1";
  }
  if (!seen) return;
  const ExpectedError error = expected_error(*seen, plan.format, plan.absmax);
  plan.sqnr_db = decibels(error.signal, error.noise);
  plan.nonfinite = seen->nonfinite();
  if (plan.nonfinite > 0)
    plan.reason += fmt::format("; {} values that are not finite were ignored", plan.nonfinite);
}

}  // namespace

Plan make_plan(const Model& model, const std::vector<Site>& sites, const Statistics* statistics,
               const Recipe& recipe, const PlanOptions& options) {
  const GraphIndex index(model.graph);
  const auto products = choose_products(index, sites, recipe, options.quantize_head);
  Plan plan{recipe, options, {}, {}, {}};
  plan.sites.resize(sites.size());
  parallel_for(sites.size(), [&](size_t i) {
    const Site& site = sites[i];
    SitePlan& p = plan.sites[i];
    p.path = site.path;
    p.value = site.value;
    p.kind = site.kind;
    for (const Use& use : site.uses) {
      const std::string& reason = products.at(use.node).float_reason;
      if (reason.empty()) p.uses.push_back(use);
      else if (p.reason.empty()) p.reason = reason;
    }
    if (!p.quantized()) return;
    if (site.kind == SiteKind::weight) plan_weight(p, site, index, recipe);
    else plan_activation(p, site, statistics, recipe, options);
  });
  plan.tables = plan_tables(index, options.quantize_embeddings);
  return plan;
}

}  // namespace fp8q
