#include "graph/token_rounding.h"

#include <limits>

#include "base/error.h"

namespace fp8q {
namespace {

constexpr float kSmallestScale = std::numeric_limits<float>::min();

// Makes a node of the body, named like its output.
Node body_node(std::string op_type, std::vector<std::string> inputs, const std::string& output,
               std::map<std::string, Attribute> attributes = {}) {
  Node node;
  node.op_type = std::move(op_type);
  node.name = output;
  node.inputs = std::move(inputs);
  node.outputs = {output};
  node.attributes = std::move(attributes);
  return node;
}

Node body_constant(const std::string& output, Tensor contents) {
  return body_node("Constant", {}, output, {{"value", std::move(contents)}});
}

// Returns the node that makes `value`, if it has this type and this many inputs.
const Node* made_by(const GraphIndex& index, const std::string& value, std::string_view op_type,
                    size_t inputs) {
  const Node* node = index.producer(value);
  return is_op(node, op_type) && node->inputs.size() == inputs ? node : nullptr;
}

bool is_scalar(const Tensor* tensor, float value) {
  return tensor && tensor->dtype() == DType::f32 && tensor->size() == 1 &&
         tensor->data<float>()[0] == value;
}

// Returns whether `scale` is the column of the token_scale() of each row of `x`.
bool is_scale_of(const GraphIndex& index, const std::string& scale, const std::string& x,
                 Format format, const ContentsOf& contents) {
  const Node* limit = made_by(index, scale, "Max", 2);
  if (!limit || !is_scalar(contents(limit->inputs[1]), kSmallestScale)) return false;
  const Node* quotient = made_by(index, limit->inputs[0], "Div", 2);
  if (!quotient || !is_scalar(contents(quotient->inputs[1]), info(format).largest)) return false;
  const Node* absmax = made_by(index, quotient->inputs[0], "ReduceMax", 2);
  if (!absmax || int_attribute(*absmax, "keepdims", 1) != 1) return false;
  const Tensor* axes = contents(absmax->inputs[1]);
  if (!axes || axes->dtype() != DType::i64 || axes->size() != 1 || axes->data<int64_t>()[0] != -1)
    return false;
  const Node* magnitude = made_by(index, absmax->inputs[0], "Abs", 1);
  return magnitude && magnitude->inputs[0] == x;
}

}  // namespace

LocalFunction token_rounding(Format format) {
  LocalFunction f{.domain = kFunctionDomain,
                  .name = fmt::format("RoundTokens_{}", info(format).name),
                  .inputs = {"x"},
                  .outputs = {"y"},
                  .body = {},
                  .calls = {}};
  f.body = {
      body_constant("last_axis", Tensor::of<int64_t>({1}, {-1})),
      body_constant("largest", Tensor::scalar(info(format).largest)),
      body_constant("smallest_scale", Tensor::scalar(kSmallestScale)),
      body_constant("one", Tensor::scalar(1.0f)),
      body_constant("zero_point", Tensor(dtype_of_format(format), {})),
      body_node("Abs", {"x"}, "magnitude"),
      body_node("ReduceMax", {"magnitude", "last_axis"}, "absmax", {{"keepdims", int64_t{1}}}),
      body_node("Div", {"absmax", "largest"}, "quotient"),
      body_node("Max", {"quotient", "smallest_scale"}, "scale"),
      body_node("Div", {"x", "scale"}, "scaled"),
      body_node("QuantizeLinear", {"scaled", "one", "zero_point"}, "codes"),
      body_node("DequantizeLinear", {"codes", "one", "zero_point"}, "values"),
      body_node("Mul", {"values", "scale"}, "y"),
  };
  return f;
}

std::optional<TokenRounding> find_token_rounding(const GraphIndex& index, const std::string& value,
                                                 const ContentsOf& contents) {
  const Node* product = made_by(index, value, "Mul", 2);
  if (!product) return std::nullopt;
  const Node* dequantize = made_by(index, product->inputs[0], "DequantizeLinear", 3);
  if (!dequantize) return std::nullopt;
  const Node* quantize = made_by(index, dequantize->inputs[0], "QuantizeLinear", 3);
  if (!quantize) return std::nullopt;
  const Node* scaled = made_by(index, quantize->inputs[0], "Div", 2);
  if (!scaled || scaled->inputs[1] != product->inputs[1]) return std::nullopt;
  const auto read = read_pair(*quantize, *dequantize, contents);
  const auto* found = std::get_if<Quantization>(&read);
  if (!found || !is_scalar(&found->scale, 1.0f)) return std::nullopt;
  const std::string& x = scaled->inputs[0];
  if (!is_scale_of(index, scaled->inputs[1], x, found->format, contents)) return std::nullopt;
  TokenRounding rounding{*found, x};
  rounding.quantization.per_token = true;
  return rounding;
}

}  // namespace fp8q
