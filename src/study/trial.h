// What-if models: a float encoder with any set of its Sites rounded as a Plan says.
//
// A conversion quantizes products, both operands at a time. A trial rounds single Sites, so that
// the harm each of them does can be told. Values are rounded in place on the way through a float
// engine (SiteTransform); weights are replaced by what dequantizing their codes gives. The numbers
// are those that the converted model multiplies; sums round in another order.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "quantize/plan.h"

namespace fp8q {

class Trials {
 public:
  // `encoder` is the float one that `plan` was made for; it must outlive the trials.
  Trials(const Encoder& encoder, const Plan& plan);

  // Sites that the plan quantizes, by index.
  const std::vector<size_t>& sites() const { return sites_; }
  size_t site_count() const { return transforms_.size(); }

  // A CPU engine of the encoder with those Sites rounded for which `rounded` (by Site) is true.
  // Engines with the same weights share them. Not from several threads at once.
  std::unique_ptr<Engine> engine_with(const std::vector<bool>& rounded);

 private:
  using WeightSet = std::vector<size_t>;  // Sites of rounded weights, ascending
  std::shared_ptr<Engine> weights_engine(const WeightSet& rounded);

  const Encoder& encoder_;
  std::vector<size_t> sites_;
  std::vector<SiteTransform> transforms_;  // by Site; of activations
  std::vector<Tensor> weights_;            // by Site; rounded, as the product reads them
  WeightSet all_weights_;
  // With none and with all of the weights rounded: the two that most trials share.
  std::map<WeightSet, std::shared_ptr<Engine>> kept_;
};

}  // namespace fp8q
