// Makes many plans of one model from one calibration.
#pragma once

#include <optional>
#include <vector>

#include "encoder/encoder.h"
#include "quantize/planner.h"

namespace fp8q {

class PlanMaker {
 public:
  // Names the model of the plans, and what they are made from. It must outlive the maker.
  struct Source {
    const Model& model;
    const std::vector<Site>& sites;
    const Encoder* encoder = nullptr;        // nullptr if the model was not recognized as one
    const Statistics* statistics = nullptr;  // nullptr if there are none
  };
  explicit PlanMaker(const Source& source) : source_(source) {}

  Plan plan(const PlanRequest& request);
  // Returns what the recipe asks for. If a format is given, weights and activations have it instead
  // of the recipe's.
  PlanRequest request(const Recipe& recipe, std::optional<Format> format,
                      const PlanOptions& options) const;

  const Source& source() const { return source_; }

 private:
  Source source_;
  std::optional<SitePredictions> predictions_;  // made when an observer first needs them
};

}  // namespace fp8q
