#include "graph/origins.h"

#include <algorithm>
#include <array>

#include "graph/graph.h"

namespace fp8q {
namespace {

template <size_t N>
bool has_type_among(const Node& node, const std::array<const char*, N>& ops) {
  return std::ranges::any_of(ops, [&](const char* op) { return is_op(&node, op); });
}

}  // namespace

Origins::Origins(const Graph& graph) {
  for (const auto& [name, tensor] : graph.initializers) ranks_[name] = tensor.rank();
  for (const Node& node : graph.nodes) {
    const auto rank = rank_of_output(node);
    const bool softmax = makes_probabilities(node);
    for (const std::string& output : node.outputs) {
      if (rank) ranks_[output] = *rank;
      if (softmax) probabilities_.insert(output);
    }
  }
}

std::optional<int64_t> Origins::rank_of(const std::string& value) const {
  const auto known = ranks_.find(value);
  return known == ranks_.end() ? std::nullopt : std::optional(known->second);
}

bool Origins::comes_from_softmax(const std::string& value) const {
  return probabilities_.contains(value);
}

std::optional<int64_t> Origins::rank_of_output(const Node& node) const {
  static constexpr std::array kKeepRank = {"Identity", "Cast", "Transpose", "DequantizeLinear"};
  if (const Tensor* tensor = constant_tensor(node)) return tensor->rank();
  return has_type_among(node, kKeepRank) ? rank_of(input_or_empty(node, 0)) : std::nullopt;
}

bool Origins::makes_probabilities(const Node& node) const {
  static constexpr std::array kLookThrough = {"Identity", "Cast", "Dropout", "Reshape"};
  if (is_op(&node, "Softmax")) return true;
  // This is the guard of scaled dot-product attention: Where(IsNaN(p), 0, p).
  if (is_op(&node, "Where")) return comes_from_softmax(input_or_empty(node, 2));
  return has_type_among(node, kLookThrough) && comes_from_softmax(input_or_empty(node, 0));
}

}  // namespace fp8q
