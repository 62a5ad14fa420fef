// Finds Q/DQ pairs on activations, and constants in the forms in which files store them.
#include "encoder/parts.h"
#include "graph/channel_factors.h"
#include "graph/token_rounding.h"

namespace fp8q::match {
namespace {

ContentsOf constants_of(const View& view) {
  return
      [&view](const std::string& value) { return value.empty() ? nullptr : view.constant(value); };
}

Quantization checked(std::variant<Quantization, std::string> read) {
  if (const auto* why = std::get_if<std::string>(&read)) throw Mismatch{*why};
  return std::get<Quantization>(std::move(read));
}

bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

// Returns whether a Cast keeps every value. Then its input is the better tensor to keep.
bool widens(const View& view, const Node& cast) {
  const DType from = view.dtype(cast.inputs[0]);
  return is_float(from) && view.dtype(cast.outputs[0]) == DType::f32;
}

bool swaps_two_axes(const View& view, const Node& transpose) {
  if (view.shape(transpose.inputs[0]).size() != 2) return false;
  const auto perm = ints_attribute(transpose, "perm", {1, 0});
  return perm == std::vector<int64_t>{1, 0};
}

}  // namespace

std::optional<Pair> find_pair(const View& view, const std::string& value) {
  const Node* dequantize = view.producer(value);
  if (!is_op(dequantize, "DequantizeLinear")) return std::nullopt;
  const Node* quantize = view.producer(dequantize->inputs[0]);
  if (!is_op(quantize, "QuantizeLinear"))
    differ("{} reads no QuantizeLinear and no constant", describe(*dequantize));
  if (view.dtype(value) != DType::f32) differ("{} makes half precision", describe(*dequantize));
  return Pair{checked(read_pair(*quantize, *dequantize, constants_of(view))), quantize->inputs[0]};
}

Point point_at(const View& view, const std::string& reading) {
  const Node* dequantize = view.producer(reading);
  const bool pairs = is_op(dequantize, "DequantizeLinear") &&
                     is_op(view.producer(dequantize->inputs[0]), "QuantizeLinear");
  if (!pairs) return {reading, reading, {}};
  auto pair = find_pair(view, reading);
  return {pair->input, reading, std::move(pair->quantization)};
}

std::optional<Pair> find_token_rounding(const View& view, const std::string& value) {
  auto rounding = fp8q::find_token_rounding(view.index(), value, constants_of(view));
  if (!rounding) return std::nullopt;
  return Pair{std::move(rounding->quantization), std::move(rounding->input)};
}

std::optional<Pair> find_rounded_input(const View& view, const std::string& value) {
  auto pair = find_pair(view, value);
  if (!pair) pair = find_token_rounding(view, value);
  if (!pair) return std::nullopt;
  if (auto found = find_channel_factors(view.index(), pair->input, constants_of(view))) {
    pair->quantization.factors = std::move(found->factors);
    pair->input = std::move(found->input);
  }
  return pair;
}

std::optional<ConstantOperand> find_constant(const View& view, const std::string& value) {
  if (!view.is_constant(value)) return std::nullopt;
  ConstantOperand found;
  std::string at = value;
  while (const Node* node = view.producer(at)) {
    if (is_op(node, "Transpose") && swaps_two_axes(view, *node)) found.transposed ^= true;
    else if (!is_op(node, "Identity") && !(is_op(node, "Cast") && widens(view, *node))) break;
    at = node->inputs[0];
  }
  const Node* node = view.producer(at);
  const Tensor* codes = is_op(node, "DequantizeLinear") ? view.constant(node->inputs[0]) : nullptr;
  if (!codes || view.dtype(at) != DType::f32) {
    found.tensor = *view.constant(at);
    return found;
  }
  found.tensor = *codes;  // the codes are not decoded here
  found.quantization =
      checked(read_dequantize(*node, codes->dtype(), codes->rank(), constants_of(view)));
  if (found.transposed && found.quantization->block)
    differ("{} is blocked and its result transposed", describe(*node));
  if (auto& axis = found.quantization->axis; axis && found.transposed) axis = 1 - *axis;
  return found;
}

}  // namespace fp8q::match
