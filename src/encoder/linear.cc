// Recognizes linear layers: MatMul or Gemm with a constant, and the Add of a bias.
#include "encoder/parts.h"

namespace fp8q::match {
namespace {

// Returns the constant as a vector of `width` elements, in float; nullopt if it is something else.
std::optional<Tensor> bias_vector(const View& view, const std::string& value, int64_t width) {
  const Tensor* tensor = view.constant(value);
  if (!tensor || tensor->size() != width || tensor->rank() == 0 || tensor->dim(-1) != width)
    return std::nullopt;
  return tensor->to(DType::f32).reshaped({width});
}

Operand input_operand(const View& view, Use use) {
  Operand operand;
  operand.use = use;
  operand.value = view.node(use.node).inputs[use.input];
  operand.source = view.rows(operand.value);
  if (const auto pair = find_rounded_input(view, operand.source)) {
    operand.quantization = pair->quantization;
    operand.value = pair->input;
    operand.source = view.rows(pair->input);
  }
  return operand;
}

bool plain_gemm(const Node& node) {
  return float_attribute(node, "alpha", 1) == 1 && float_attribute(node, "beta", 1) == 1 &&
         int_attribute(node, "transA", 0) == 0;
}

// Finds a product of an activation with a constant matrix.
std::optional<LinearPart> find_product(const View& view, const std::string& value) {
  const auto at = view.index().producer_index(value);
  if (!at) return std::nullopt;
  const Node& node = view.node(*at);
  const bool gemm = is_op(&node, "Gemm");
  if (!gemm && !is_op(&node, "MatMul")) return std::nullopt;
  if (view.is_known(node.inputs[0])) return std::nullopt;
  const bool rows_are_outputs = gemm && int_attribute(node, "transB", 0) != 0;
  auto weight = find_constant(view, node.inputs[1], rows_are_outputs ? 0 : 1);
  if (!weight || weight->tensor.rank() != 2) return std::nullopt;
  if (gemm && !plain_gemm(node)) differ("{} scales or transposes its operands", describe(node));

  LinearPart part;
  part.node = *at;
  part.input = input_operand(view, {*at, 0});
  part.weight = {{*at, 1}, node.inputs[1], node.inputs[1], weight->quantization};
  if (weight->quantization && !weight->quantization->block &&
      weight->quantization->axis.value_or(rows_are_outputs ? 0 : 1) != (rows_are_outputs ? 0 : 1))
    differ("{} has scales along the input of its weight", describe(node));
  part.linear.transposed = rows_are_outputs != weight->transposed;
  part.linear.in = weight->tensor.dim(part.linear.transposed ? 1 : 0);
  part.linear.out = weight->tensor.dim(part.linear.transposed ? 0 : 1);
  part.linear.weight = std::move(weight->tensor);
  if (gemm && node.inputs.size() > 2 && !node.inputs[2].empty()) {
    part.linear.bias = bias_vector(view, node.inputs[2], part.linear.out);
    if (!part.linear.bias) differ("{} adds something that is no bias", describe(node));
  }
  return part;
}

}  // namespace

std::optional<LinearPart> find_linear(const View& view, const std::string& value) {
  const std::string result = view.rows(value);
  if (auto product = find_product(view, result)) {
    product->result = {result, result, {}};
    return product;
  }
  const Node* add = view.producer(result);
  if (!is_op(add, "Add")) return std::nullopt;
  for (const size_t i : {0, 1}) {
    if (view.is_known(add->inputs[i])) continue;
    auto product = find_product(view, view.rows(add->inputs[i]));
    if (!product || product->linear.bias) continue;
    auto bias = bias_vector(view, add->inputs[1 - i], product->linear.out);
    if (!bias) continue;
    product->linear.bias = std::move(*bias);
    product->result = {result, result, {}};
    return product;
  }
  return std::nullopt;
}

std::optional<LinearPart> find_rounded_linear(const View& view, const std::string& value) {
  const Point result = point_at(view, view.rows(value));
  auto linear = find_linear(view, result.value);
  // After a pair, the result's own name counts, not that of a reshape between them.
  if (linear && result.quantization) linear->result = result;
  return linear;
}

}  // namespace fp8q::match
