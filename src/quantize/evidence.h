// What ranges of activations follow from.
#pragma once

#include "calibrate/prediction.h"
#include "calibrate/statistics.h"
#include "graph/site.h"

namespace fp8q {

struct PlanEvidence {
  const Statistics* statistics = nullptr;
  const SitePredictions* predictions = nullptr;

  PlanEvidence(const Statistics* seen,
               const SitePredictions* predicted = nullptr)  // NOLINT: a view
      : statistics(seen), predictions(predicted) {}
  const Prediction* prediction(size_t site) const {
    return predictions && (*predictions)[site] ? &*(*predictions)[site] : nullptr;
  }
};

// Error (bad_data) naming the Site where there are no statistics, none of it, or none with values.
const SiteStatistics& needed_statistics(const Site& site, const Statistics* statistics);

}  // namespace fp8q
