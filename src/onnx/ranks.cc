#include "onnx/ranks.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace fp8q {
namespace {

using Rank = std::optional<int64_t>;

// The output of these operators has the rank of the first input.
constexpr std::array<std::string_view, 22> kLikeFirst = {
    "Identity", "Cast",     "Softmax", "LogSoftmax",
    "Relu",     "Erf",      "Tanh",    "Sqrt",
    "Exp",      "Log",      "Neg",     "Sigmoid",
    "Clip",     "Pad",      "Dropout", "LayerNormalization",
    "Slice",    "Abs",      "Concat",  "Not",
    "Floor",    "Transpose"};

// These operators broadcast as NumPy does: the output has the largest rank of the inputs.
constexpr std::array<std::string_view, 14> kBroadcast = {"Add",   "Sub", "Mul", "Div",   "Pow",
                                                         "Where", "And", "Or",  "Equal", "Greater",
                                                         "Less",  "Max", "Min", "MatMul"};

template <size_t N>
bool contains(const std::array<std::string_view, N>& list, const std::string& op) {
  return std::ranges::find(list, std::string_view(op)) != list.end();
}

}  // namespace

Ranks::Ranks(const Graph& graph) {
  const auto add = [this](const ValueInfo& value) {
    if (!value.has_shape) return;
    ranks_[value.name] = static_cast<int64_t>(value.shape.size());
    if (value.shape.size() == 1 && value.shape[0].value >= 0)
      lengths_[value.name] = value.shape[0].value;
  };
  for (const auto& value : graph.inputs) add(value);
  for (const auto& value : graph.value_info) add(value);
  for (const auto& [name, tensor] : graph.initializers) {
    ranks_[name] = tensor.rank();
    if (tensor.rank() == 1) lengths_[name] = tensor.size();
  }
  for (const Node& node : graph.nodes) {
    if (node.outputs.empty() || !node.domain.empty()) continue;
    const std::string& output = node.outputs[0];
    if (const auto rank = of_output(node)) ranks_.emplace(output, *rank);
    if (const Tensor* constant = constant_tensor(node); constant && constant->rank() == 1)
      lengths_[output] = constant->size();
    if (node.op_type == "Concat") {
      // Shapes are concatenated from vectors of known lengths.
      int64_t length = 0;
      const bool known = std::ranges::all_of(node.inputs, [&](const std::string& input) {
        const auto part = lengths_.find(input);
        if (part == lengths_.end()) return false;
        length += part->second;
        return true;
      });
      if (known) lengths_[output] = length;
    }
    if (node.op_type == "Shape" && node.attributes.empty())
      if (const auto rank = (*this)(node.inputs.empty() ? "" : node.inputs[0]))
        lengths_[output] = *rank;
    if (node.op_type == "Unsqueeze" && ranks_.contains(output) && ranks_[output] == 1)
      lengths_[output] = 1;
  }
}

Rank Ranks::operator()(const std::string& value) const {
  const auto known = ranks_.find(value);
  return known == ranks_.end() ? std::nullopt : Rank(known->second);
}

Rank Ranks::of_output(const Node& node) const {
  const auto input = [&](size_t i) {
    return i < node.inputs.size() ? (*this)(node.inputs[i]) : std::nullopt;
  };
  const std::string& op = node.op_type;
  if (const Tensor* constant = constant_tensor(node)) return constant->rank();
  if (op == "Shape") return 1;
  if (op == "Transpose" && node.attributes.contains("perm"))
    return static_cast<int64_t>(ints_attribute(node, "perm", {}).size());
  if (contains(kLikeFirst, op)) return input(0);
  if (contains(kBroadcast, op)) {
    Rank largest = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Rank rank = input(i);
      if (!rank) return std::nullopt;
      largest = std::max(largest, rank);
    }
    return op == "MatMul" && *largest < 2 ? std::nullopt : largest;
  }
  if ((op == "Reshape" || op == "Expand") && node.inputs.size() > 1) {
    const auto length = lengths_.find(node.inputs[1]);
    if (length == lengths_.end()) return std::nullopt;
    return op == "Reshape" ? Rank(length->second)
           : input(0)      ? Rank(std::max(*input(0), length->second))
                           : std::nullopt;
  }
  if (op == "Gather" && input(0) && input(1)) return *input(0) + *input(1) - 1;
  if (op == "Unsqueeze" && input(0) && node.attributes.contains("axes"))
    return *input(0) + static_cast<int64_t>(ints_attribute(node, "axes", {}).size());
  if (op == "Gemm" || op == "Flatten") return 2;
  return std::nullopt;
}

}  // namespace fp8q
