#include "study/trial.h"

#include <algorithm>

#include "base/threads.h"
#include "engine/memory_needs.h"
#include "graph/site_rounding.h"
#include "quantize/constants.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

// Calls f(linear) for every linear layer of an encoder, constant or not, whose weight is a Site.
template <typename AnyEncoder, typename F>
void for_each_linear(AnyEncoder& encoder, F&& f) {
  const auto visit = [&](auto& linear) {
    if (linear.weight_site >= 0) f(linear);
  };
  if (encoder.embeddings.projection) visit(*encoder.embeddings.projection);
  for (auto& l : encoder.layers)
    for (auto* linear :
         {&l.query, &l.key, &l.value, &l.attention_output, &l.intermediate, &l.output})
      visit(*linear);
  for (auto& stage : encoder.head) visit(stage.linear);
}

// Returns whether the product reads a matrix with a row per output channel.
bool rows_are_outputs(const Site& weight) { return weight.channel_axis == 0; }

// Returns what the product reads after conversion: the rounded weight, in its orientation there.
Tensor rounded_weight(const Linear& linear, const Site& site, const SitePlan& plan) {
  Tensor operand = linear.weight.to(DType::f32);
  if (linear.transposed != rows_are_outputs(site)) operand = transposed(operand, {1, 0});
  return dequantized(quantized(operand, plan.format, plan.axis, plan.scales), plan.format,
                     plan.axis, plan.scales);
}

SiteTransform rounding(const SitePlan& plan) {
  FP8Q_ASSERT(plan.factors.empty());  // no study uses smoothing
  const Quantization quantization{
      .format = plan.format,
      .scale = Tensor::scalar(plan.per_token() ? 1.0f : plan.scales.front()),
      .axis = {},
      .per_token = plan.per_token()};
  return {.apply = [quantization](std::span<float> values,
                                  int64_t columns) { round_values(quantization, values, columns); },
          .residual = plan.residual.has_value()};
}

// Runs through a shared engine with its own transforms.
class TrialEngine final : public Engine {
 public:
  TrialEngine(std::shared_ptr<Engine> engine, std::vector<SiteTransform> transforms)
      : engine_(std::move(engine)), transforms_(std::move(transforms)) {}

  // Observers would see values after rounding. No caller needs that.
  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver& observer) override {
    FP8Q_ASSERT(!observer);
    return engine_->run_transformed(batch, transforms_);
  }
  std::vector<KernelChoice> kernels() const override { return engine_->kernels(); }
  std::string device() const override { return engine_->device(); }
  std::string description() const override { return engine_->description(); }

 private:
  std::shared_ptr<Engine> engine_;
  std::vector<SiteTransform> transforms_;
};

}  // namespace

Trials::Trials(const Encoder& encoder, const Plan& plan)
    : encoder_(encoder), transforms_(plan.sites.size()), weights_(plan.sites.size()) {
  FP8Q_ASSERT(plan.sites.size() == encoder.sites.size());
  for (size_t s = 0; s < plan.sites.size(); ++s) {
    if (!plan.sites[s].quantized()) continue;
    sites_.push_back(s);
    if (encoder.sites[s].kind == SiteKind::activation) transforms_[s] = rounding(plan.sites[s]);
  }
  std::vector<const Linear*> linears;
  for_each_linear(encoder, [&](const Linear& linear) {
    const auto s = static_cast<size_t>(linear.weight_site);
    if (!plan.sites[s].quantized()) return;
    linears.push_back(&linear);
    all_weights_.push_back(s);
  });
  std::ranges::sort(all_weights_);
  parallel_for(linears.size(), [&](size_t i) {
    const auto s = static_cast<size_t>(linears[i]->weight_site);
    weights_[s] = rounded_weight(*linears[i], encoder.sites[s], plan.sites[s]);
  });
}

std::shared_ptr<Engine> Trials::weights_engine(const WeightSet& rounded) {
  if (const auto known = kept_.find(rounded); known != kept_.end()) return known->second;
  Encoder encoder = encoder_;
  for_each_linear(encoder, [&](Linear& linear) {
    const auto s = static_cast<size_t>(linear.weight_site);
    if (!std::ranges::binary_search(rounded, s)) return;
    linear.weight = weights_[s];
    linear.transposed = rows_are_outputs(encoder.sites[s]);
  });
  std::shared_ptr<Engine> engine = make_cpu_engine(encoder, ComputeType::fp32);
  if (rounded.empty() || rounded == all_weights_) kept_[rounded] = engine;
  return engine;
}

std::unique_ptr<Engine> Trials::engine_with(const std::vector<bool>& rounded) {
  WeightSet weights;
  std::vector<SiteTransform> transforms(transforms_.size());
  for (const size_t s : sites_) {
    if (!rounded[s]) continue;
    if (encoder_.sites[s].kind == SiteKind::weight) weights.push_back(s);
    else transforms[s] = transforms_[s];
  }
  return std::make_unique<TrialEngine>(weights_engine(weights), std::move(transforms));
}

// They keep rounded weights and two engines, all in FP32. Others come and go, and the allocator
// keeps pieces of these.
uint64_t trials_need(const Encoder& encoder) {
  return 4 * cpu_engine_needs(encoder, ComputeType::fp32).weights;
}

}  // namespace fp8q
