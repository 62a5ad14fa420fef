#include "quantize/plan_smoothing.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "quantize/constants.h"
#include "quantize/evidence.h"

namespace fp8q {
namespace {

struct Input {
  size_t site;
  std::vector<size_t> weights;
};

// Returns the weights by which the quantized products of an activation multiply it. Returns an
// empty list if one of the products cannot be smoothed.
std::vector<size_t> weights_of(const GraphIndex& index, const std::vector<Site>& sites,
                               const std::map<size_t, Product>& products, const SitePlan& plan) {
  std::vector<size_t> weights;
  for (const Use& use : plan.uses) {
    const int other = products.at(use.node).operands[1];
    if (use.input != 0 || other < 0) return {};
    const Site& site = sites[static_cast<size_t>(other)];
    if (site.kind != SiteKind::weight || !site.channel_axis) return {};
    if (int_attribute(index.graph().nodes[use.node], "transA", 0) != 0) return {};
    const auto contents = constant_contents(index, site.value);
    // A weight that is not FP32 is refused later.
    if (!contents || contents->rank() != 2 || contents->dtype() != DType::f32) return {};
    weights.push_back(static_cast<size_t>(other));
  }
  return weights;
}

ChannelRanges ranges_of(const Site& site, const SiteStatistics& seen, int64_t channels) {
  const auto absmax = seen.channel_absmax();
  if (static_cast<int64_t>(absmax.size()) != channels)
    fail(ErrorCode::bad_data,
         "the statistics of Site {} hold the ranges of {} channels, and the weight has {}: "
         "smoothing needs them; calibrate again, or leave --smooth-quant out",
         printable(site.path), absmax.size(), channels);
  double squares = 0;
  for (const float a : absmax) squares += double{a} * a;
  const double rows = static_cast<double>(seen.count()) / static_cast<double>(channels);
  return {absmax, squares > 0 ? std::min(1.0, seen.sum_of_squares() / (rows * squares)) : 0.0};
}

void plan_input(const GraphIndex& index, const std::vector<Site>& sites, const Input& input,
                const Statistics* statistics, const SmoothQuant& wanted,
                std::vector<SitePlan>& plans) {
  const Site& site = sites[input.site];
  std::vector<SmoothedWeight> weights;
  for (const size_t i : input.weights)
    weights.push_back({*constant_contents(index, sites[i].value), *sites[i].channel_axis,
                       plans[i].format, plans[i].granularity, plans[i].observer});
  const int64_t channels = weights[0].f32.dim(1 - weights[0].channel_axis);
  SitePlan& plan = plans[input.site];
  const ChannelRanges ranges = ranges_of(site, needed_statistics(site, statistics), channels);
  Smoothing smoothing = smooth(wanted, ranges, plan.format, weights);
  if (smoothing.factors.empty()) return;
  for (const size_t i : input.weights) {
    plans[i].factors = smoothing.factors;
    plans[i].channel_axis = sites[i].channel_axis;
  }
  plan.alpha = smoothing.alpha;
  plan.factors = std::move(smoothing.factors);
}

}  // namespace

void plan_smoothing(const GraphIndex& index, const std::vector<Site>& sites,
                    const std::map<size_t, Product>& products, const Statistics* statistics,
                    const SmoothQuant& wanted, std::vector<SitePlan>& plans) {
  std::vector<Input> inputs;
  for (size_t i = 0; i < sites.size(); ++i) {
    const SitePlan& plan = plans[i];
    if (plan.kind != SiteKind::activation || !is_operand(sites[i].role) || !plan.quantized() ||
        plan.observer != Observer::absmax)
      continue;
    Input input{i, weights_of(index, sites, products, plan)};
    if (!input.weights.empty()) inputs.push_back(std::move(input));
  }
  parallel_for(inputs.size(),
               [&](size_t i) { plan_input(index, sites, inputs[i], statistics, wanted, plans); });
}

Tensor planned_weight(const GraphIndex& index, const SitePlan& plan) {
  const auto weight = constant_contents(index, plan.value);
  FP8Q_ASSERT(weight.has_value());  // choose_products() made sure
  return plan.factors.empty() ? *weight : divided(*weight, *plan.channel_axis, plan.factors);
}

float smoothed_absmax(const SiteStatistics& statistics, std::span<const float> factors) {
  const auto absmax = statistics.channel_absmax();
  FP8Q_ASSERT(absmax.size() == factors.size());
  float largest = 0;
  for (size_t j = 0; j < factors.size(); ++j) largest = std::max(largest, absmax[j] * factors[j]);
  return largest;
}

}  // namespace fp8q
