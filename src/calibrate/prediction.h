// Predicts what the weights of a model say about the values at a Site before any data is seen. A
// prediction is a mean and a standard deviation for every channel, and a function that is applied
// to the values.
//
// Predictions start where values are known without data: LayerNorm leaves channel j with mean
// beta_j and standard deviation gamma_j. The caller carries these moments through the linear
// layers.
#pragma once

#include <optional>
#include <vector>

namespace fp8q {

struct Prediction {
  std::vector<float> mean;
  std::vector<float> deviation;          // same size as `mean`
  double (*function)(double) = nullptr;  // applied last: GELU, tanh; nullptr: none

  // Returns the largest magnitude of the function at mean +- `deviations` standard deviations over
  // all channels.
  float range(double deviations) const;
};

// Holds one entry per Site, in their order. An entry is nullopt if nothing can be predicted.
using SitePredictions = std::vector<std::optional<Prediction>>;

}  // namespace fp8q
