// Holds the evidence from which ranges of activations follow.
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

// Throws an Error (bad_data) that names the Site if there are no statistics, if they lack the Site,
// or if it has no values.
const SiteStatistics& needed_statistics(const Site& site, const Statistics* statistics);

}  // namespace fp8q
