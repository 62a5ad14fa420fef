// Many plans of one model from one calibration.
#pragma once

#include <optional>

#include "quantize/planner.h"
#include "session/bundle.h"

namespace fp8q {

class PlanMaker {
 public:
  // Both must outlive it.
  PlanMaker(const Bundle& bundle, const Statistics& statistics)
      : bundle_(bundle), statistics_(statistics) {}

  Plan plan(const PlanRequest& request);
  // What the recipe gives, in another format of weights and activations where one is named.
  PlanRequest request(const Recipe& recipe, std::optional<Format> format,
                      const PlanOptions& options) const;

  const Bundle& bundle() const { return bundle_; }
  const Statistics& statistics() const { return statistics_; }

 private:
  const Bundle& bundle_;
  const Statistics& statistics_;
  std::optional<SitePredictions> predictions_;  // made when an observer first needs them
};

}  // namespace fp8q
