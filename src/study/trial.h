// Makes what-if models: a float encoder with any set of its Sites rounded as a Plan says.
//
// A conversion quantizes products, both operands at a time. A trial rounds single Sites, so that
// the harm of each can be measured. Values are rounded in place on the way through a float engine
// (SiteTransform). Weights are replaced by their dequantized codes. The numbers are those that the
// converted model multiplies, but sums round in another order.
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
  // `encoder` is the float encoder that `plan` was made for. It must outlive the trials.
  Trials(const Encoder& encoder, const Plan& plan);

  // Returns the indices of the Sites that the plan quantizes.
  const std::vector<size_t>& sites() const { return sites_; }
  size_t site_count() const { return transforms_.size(); }

  // Returns a CPU engine of the encoder in which the Sites are rounded for which `rounded` (by
  // Site) is true. Engines with the same weights share them. It must not be called from several
  // threads at once.
  std::unique_ptr<Engine> engine_with(const std::vector<bool>& rounded);

 private:
  using WeightSet = std::vector<size_t>;  // Sites of rounded weights, ascending
  std::shared_ptr<Engine> weights_engine(const WeightSet& rounded);

  const Encoder& encoder_;
  std::vector<size_t> sites_;
  std::vector<SiteTransform> transforms_;  // by Site; for activations
  std::vector<Tensor> weights_;            // by Site; rounded, as the product reads them
  WeightSet all_weights_;
  // Keeps the engines with none and with all of the weights rounded, which most trials share.
  std::map<WeightSet, std::shared_ptr<Engine>> kept_;
};

// Returns a bound of the memory that the Trials of an encoder take besides one engine, in bytes.
uint64_t trials_need(const Encoder& encoder);

}  // namespace fp8q
