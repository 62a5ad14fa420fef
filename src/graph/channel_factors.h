// Finds factors of channels: a Mul of an activation by a constant vector over its last dimension,
// placed before the quantization. SmoothQuant (arXiv 2211.10438, equation 3) divides activations by
// factors like these and multiplies the factors into the weights that read them.
//
// Only powers of two count as factors. Then the product is exact, and the Mul is certainly not a
// part of the model (a LayerNorm's gamma).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/site.h"

namespace fp8q {

// Returns whether every factor is a positive power of two and not all factors are equal.
bool are_channel_factors(std::span<const float> factors);

struct ChannelFactors {
  std::vector<float> factors;
  std::string input;  // the value that is multiplied
};
// Returns the factors if `value` is such a product, and nullopt otherwise.
std::optional<ChannelFactors> find_channel_factors(const GraphIndex& index,
                                                   const std::string& value,
                                                   const ContentsOf& contents);

}  // namespace fp8q
