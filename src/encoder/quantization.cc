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

bool is_float(DType dtype) { return dtype == DType::f32 || is_half(dtype); }

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

// Returns unsigned codes with zero point 128 as the signed codes that stand for the same numbers.
Tensor as_signed(const Tensor& codes) {
  Tensor out(DType::i8, codes.shape());
  const auto from = codes.data<uint8_t>();
  const auto to = out.mutable_data<int8_t>();
  for (size_t i = 0; i < from.size(); ++i) to[i] = static_cast<int8_t>(from[i] - 128);
  return out;
}

// Returns the axis of a matrix along which the elements of a scale lie.
std::optional<int64_t> axis_of(const Tensor& scale, const Tensor& matrix) {
  if (scale.rank() > 2) return std::nullopt;
  for (const int64_t axis : {0, 1})
    if (scale.size() == matrix.dim(axis) && (axis == 1 || scale.rank() == 2) &&
        scale.dim(axis == 1 ? -1 : 0) == scale.size())
      return axis;
  return std::nullopt;
}

// Finds the codes in Cast(codes) or Sub(Cast(codes), zero point).
std::optional<Tensor> find_cast_codes(const View& view, std::string value) {
  double zero_point = 0;
  const Node* node = view.producer(view.plain(std::move(value)));
  if (is_op(node, "Sub")) {
    const auto zero = view.scalar(node->inputs[1]);
    if (!zero) return std::nullopt;
    zero_point = *zero;
    node = view.producer(view.plain(node->inputs[0]));
  }
  const Tensor* codes = is_op(node, "Cast") ? view.constant(node->inputs[0]) : nullptr;
  if (!codes || codes->rank() != 2) return std::nullopt;
  if (codes->dtype() == DType::u8 && zero_point == 128) return as_signed(*codes);
  if (format_of(codes->dtype()) && zero_point == 0) return *codes;
  return std::nullopt;
}

// Finds codes that a Cast and a Mul decode.
std::optional<ConstantOperand> find_scaled_codes(const View& view, const Node& node) {
  if (!is_op(&node, "Mul")) return std::nullopt;
  for (const size_t i : {0, 1}) {
    auto codes = find_cast_codes(view, node.inputs[i]);
    const Tensor* scale = codes ? view.constant(node.inputs[1 - i]) : nullptr;
    if (!scale || scale->dtype() != DType::f32) continue;
    ConstantOperand found;
    found.quantization.emplace().format = *format_of(codes->dtype());
    if (scale->size() > 1) found.quantization->axis = axis_of(*scale, *codes);
    if (scale->size() > 1 && !found.quantization->axis) continue;
    found.quantization->scale = scale->reshaped(scale->size() > 1 ? Shape{scale->size()} : Shape{});
    found.tensor = *std::move(codes);
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Pair> find_pair(const View& view, const std::string& value) {
  const Node* dequantize = view.producer(value);
  if (!is_op(dequantize, "DequantizeLinear")) return std::nullopt;
  const Node* quantize = view.producer(dequantize->inputs[0]);
  if (!is_op(quantize, "QuantizeLinear"))
    differ("{} reads no QuantizeLinear and no constant", describe(*dequantize));
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

std::optional<ConstantOperand> find_constant(const View& view, const std::string& value,
                                             int64_t channel_axis) {
  if (!view.is_constant(value)) return std::nullopt;
  ConstantOperand found;
  std::string at = value;
  while (const Node* node = view.producer(at)) {
    if (is_op(node, "Transpose") && swaps_two_axes(view, *node)) found.transposed ^= true;
    else if (!is_op(node, "Identity") && !(is_op(node, "Cast") && widens(view, *node))) break;
    at = node->inputs[0];
  }
  const Node* node = view.producer(at);
  if (auto scaled = node ? find_scaled_codes(view, *node) : std::nullopt) {
    auto& axis = scaled->quantization->axis;
    if (axis && found.transposed) axis = 1 - *axis;
    scaled->transposed = found.transposed;
    if (axis.value_or(channel_axis) == channel_axis) return scaled;
  }
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
