// What the weights of a model say about the values at a Site before any data is seen: a mean and a
// standard deviation for every channel, and a function that is applied to them.
//
// It starts where values are known without data: LayerNorm leaves channel j with mean beta_j and
// standard deviation gamma_j. The caller carries these moments through the linear layers.
#pragma once

#include <optional>
#include <vector>

namespace fp8q {

struct Prediction {
  std::vector<float> mean;
  std::vector<float> deviation;          // as many
  double (*function)(double) = nullptr;  // applied afterwards: GELU, tanh; nullptr: none

  // The largest magnitude that the function gives at mean +- `deviations` standard deviations of
  // any channel.
  float range(double deviations) const;
};

// By Site, in their order; nullopt where nothing can be said.
using SitePredictions = std::vector<std::optional<Prediction>>;

}  // namespace fp8q
