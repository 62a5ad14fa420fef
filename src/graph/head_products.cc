#include "graph/head_products.h"

#include <algorithm>
#include <array>

namespace fp8q {
namespace {

// Returns the axes of a ReduceMean, an attribute before opset 18 and an input since.
std::vector<int64_t> reduced_axes(const GraphIndex& index, const Node& node) {
  if (node.inputs.size() < 2) return ints_attribute(node, "axes", {});
  const Tensor* axes = index.constant(node.inputs[1]);
  if (!axes || axes->dtype() != DType::i64) return {};
  return {axes->data<int64_t>().begin(), axes->data<int64_t>().end()};
}

// A mean over channels begins a normalization that is written out. One over axis 1, that of the
// tokens, pools them.
bool normalizes(const GraphIndex& index, const Node& node) {
  static constexpr std::array kFused = {"LayerNormalization", "RMSNormalization",
                                        "BatchNormalization", "InstanceNormalization",
                                        "GroupNormalization"};
  if (std::ranges::any_of(kFused, [&](auto op) { return is_op(&node, op); })) return true;
  if (!is_op(&node, "ReduceMean")) return false;
  const auto axes = reduced_axes(index, node);
  return axes.size() == 1 && (axes[0] == -1 || axes[0] >= 2);
}

}  // namespace

std::set<size_t> head_products(const GraphIndex& index) {
  const auto& nodes = index.graph().nodes;
  std::vector<bool> normalized(nodes.size(), false);  // by a later node
  std::set<size_t> heads;
  bool any_normalized = false;
  for (size_t n = nodes.size(); n-- > 0;) {
    for (const auto& output : nodes[n].outputs)
      for (const Use& use : index.uses(output))
        if (normalized[use.node] || normalizes(index, nodes[use.node])) normalized[n] = true;
    if (!is_op(&nodes[n], "MatMul") && !is_op(&nodes[n], "Gemm")) continue;
    if (normalized[n]) any_normalized = true;
    else heads.insert(n);
  }
  return any_normalized ? heads : std::set<size_t>();
}

}  // namespace fp8q
