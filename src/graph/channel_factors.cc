#include "graph/channel_factors.h"

#include <algorithm>
#include <cmath>

namespace fp8q {
namespace {

bool is_power_of_two(float x) {
  int exponent = 0;
  return x > 0 && std::isfinite(x) && std::frexp(x, &exponent) == 0.5f;
}

}  // namespace

bool are_channel_factors(std::span<const float> factors) {
  return std::ranges::all_of(factors, is_power_of_two) &&
         std::ranges::adjacent_find(factors, std::ranges::not_equal_to()) != factors.end();
}

std::optional<ChannelFactors> find_channel_factors(const GraphIndex& index,
                                                   const std::string& value,
                                                   const ContentsOf& contents) {
  const Node* product = index.producer(value);
  if (!product || !product->domain.empty() || product->op_type != "Mul" ||
      product->inputs.size() != 2)
    return std::nullopt;
  for (const size_t i : {0, 1}) {
    const Tensor* constant = contents(product->inputs[i]);
    if (!constant || constant->dtype() != DType::f32 || constant->rank() != 1) continue;
    const auto factors = constant->data<float>();
    if (!are_channel_factors(factors)) continue;
    return ChannelFactors{{factors.begin(), factors.end()}, product->inputs[1 - i]};
  }
  return std::nullopt;
}

}  // namespace fp8q
