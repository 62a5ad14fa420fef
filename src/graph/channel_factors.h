// Factors of channels: a Mul of an activation by a constant vector over its last dimension, in
// front of what quantizes it, as SmoothQuant (arXiv 2211.10438, equation 3) divides activations by
// the factors that it multiplies into the weights that read them.
//
// Only powers of two count as such: then the product is exact, and it is beyond doubt that the Mul
// is no part of the model (a LayerNorm's gamma).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/site.h"

namespace fp8q {

// Whether every factor is a positive power of two, not all of them the same.
bool are_channel_factors(std::span<const float> factors);

struct ChannelFactors {
  std::vector<float> factors;
  std::string input;  // what is multiplied
};
// Where `value` is such a product; nullopt for everything else.
std::optional<ChannelFactors> find_channel_factors(const GraphIndex& index,
                                                   const std::string& value,
                                                   const ContentsOf& contents);

}  // namespace fp8q
