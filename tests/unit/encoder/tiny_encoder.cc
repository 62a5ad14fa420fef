#include "unit/encoder/tiny_encoder.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

#include "graph/token_rounding.h"
#include "unit/encoder/graph_builder.h"

namespace fp8q::test {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();

Tensor with_floats_of(const Tensor& tensor, DType type) {
  if (tensor.dtype() != DType::f32) return tensor;
  Tensor finite = tensor;
  const float largest = type == DType::f16 ? 65504 : std::numeric_limits<float>::max() / 2;
  for (float& x : finite.mutable_data<float>()) x = std::clamp(x, -largest, largest);
  return finite.to(type);
}

// Returns the model as tools write it in 16 bits: constants, casts and outputs have this type.
Model with_floats_of(Model model, DType type) {
  for (auto& [name, tensor] : model.graph.initializers) tensor = with_floats_of(tensor, type);
  for (Node& node : model.graph.nodes)
    for (auto& [name, attribute] : node.attributes) {
      if (auto* tensor = std::get_if<Tensor>(&attribute)) *tensor = with_floats_of(*tensor, type);
      auto* to = std::get_if<int64_t>(&attribute);
      if (to && name == "to" && *to == static_cast<int64_t>(DType::f32))
        *to = static_cast<int64_t>(type);
    }
  for (ValueInfo& output : model.graph.outputs) output.dtype = type;
  return model;
}

class TinyEncoder {
 public:
  explicit TinyEncoder(const Style& style) : s_(style), g_(style.opset) {}

  Model build() {
    const std::vector<Dim> shape = s_.fixed_shape ? std::vector<Dim>{{1, ""}, {12, ""}}
                                                  : std::vector<Dim>{{-1, "b"}, {-1, "s"}};
    ids_ = g_.input(DType::i64, shape);
    const bool needs_mask = s_.mask != MaskStyle::none && s_.mask != MaskStyle::from_ids;
    if (needs_mask) mask_input_ = g_.input(DType::i64, shape);
    if (s_.embedding == EmbeddingStyle::bert || s_.embedding == EmbeddingStyle::position_range ||
        s_.embedding == EmbeddingStyle::position_input ||
        s_.embedding == EmbeddingStyle::position_slice || s_.embedding == EmbeddingStyle::electra)
      types_ = g_.input(DType::i64, shape);
    if (s_.embedding == EmbeddingStyle::position_input)
      position_input_ = g_.input(DType::i64, shape);
    std::string x = embeddings();
    mask_ = mask();
    for (int64_t i = 0; i < s_.layers; ++i) {
      x = s_.pre_norm ? pre_norm_layer(x) : layer(x);
      if (s_.extra_node) x = g_.op("Sigmoid", {x});
    }
    if (s_.pre_norm) x = norm(x, s_.hidden);
    const Model model = g_.finish(head(x));
    return s_.type == DType::f32 ? model : with_floats_of(model, s_.type);
  }

 private:
  using Names = std::vector<std::string>;

  std::string dropout(const std::string& x) {
    return s_.dropout ? g_.op("Identity", {g_.ops("Dropout", {x}, 1)[0]}) : x;
  }

  // ---- linear layers

  std::string weight(int64_t in, int64_t out) {
    const float size = 1.5f / std::sqrt(static_cast<float>(in));
    if (s_.quantization != QuantStyle::none) return quantized_weight(in, out, size);
    switch (s_.linear) {
      case LinearStyle::cast_codes:
        return cast_codes(in, out, size, Tensor(DType::i8, {}));
      case LinearStyle::cast_unsigned_codes:
        return cast_codes(in, out, size, Tensor::scalar<uint8_t>(128));
      case LinearStyle::cast_affine_codes:
        return cast_codes(in, out, size, Tensor::scalar<uint8_t>(100));
      case LinearStyle::gemm:
        return g_.random({out, in}, size);
      case LinearStyle::transposed_constant:
        return g_.transpose(g_.random({out, in}, size), {1, 0});
      case LinearStyle::f16_weights:
        return g_.cast(g_.constant(g_.random_tensor({in, out}, size).to(DType::f16)), DType::f32);
      default:
        return g_.random({in, out}, size);
    }
  }

  std::string quantized_weight(int64_t in, int64_t out, float size) {
    const Tensor values = g_.random_tensor({in, out}, size);
    const float scale = scale_for(s_.format, size);
    Tensor codes(dtype_of_format(s_.format), {in, out});
    encode(s_.format, values.data<float>(), scale,
           {reinterpret_cast<uint8_t*>(codes.mutable_bytes()), codes.nbytes()});
    Tensor scales(DType::f32, {out});
    for (float& v : scales.mutable_data<float>()) v = scale;
    return g_.op("DequantizeLinear",
                 {g_.constant(codes), g_.constant(scales),
                  g_.constant(Tensor(dtype_of_format(s_.format), {out}))},
                 {{"axis", int64_t{1}}});
  }

  // Decodes (codes - zero point) * scale with a Cast, a Sub if the codes are unsigned, and a Mul.
  std::string cast_codes(int64_t in, int64_t out, float size, const Tensor& zero_point) {
    const Tensor values = g_.random_tensor({in, out}, size);
    const float zero = zero_point.to(DType::f32).data<float>()[0];
    Tensor codes(DType::f32, values.shape());
    for (size_t i = 0; i < codes.mutable_data<float>().size(); ++i)
      codes.mutable_data<float>()[i] =
          std::round(std::clamp(values.data<float>()[i] / size, -1.0f, 1.0f) * 99) + zero;
    const std::string cast = g_.cast(g_.constant(codes.to(zero_point.dtype())), DType::f32);
    const std::string centered = zero == 0 ? cast : g_.op("Sub", {cast, g_.scalar(zero)});
    return g_.op("Mul", {centered, s_.linear == LinearStyle::cast_affine_codes
                                       ? g_.scalar(size / 99)
                                       : g_.random({out}, 0.2f * size / 99, size / 99)});
  }

  bool rounds_tokens() const {
    return s_.quantization == QuantStyle::tokens || s_.quantization == QuantStyle::smoothed_tokens;
  }

  // Multiplies x by factors of its channels if the style has them.
  std::string smoothed(const std::string& x, int64_t channels) {
    if (s_.quantization != QuantStyle::smoothed && s_.quantization != QuantStyle::smoothed_tokens)
      return x;
    Tensor factors(DType::f32, {channels});
    for (size_t c = 0; c < factors.mutable_data<float>().size(); ++c)
      factors.mutable_data<float>()[c] = std::exp2(static_cast<float>(c % 3) - 1.0f);
    return g_.op("Mul", {x, g_.constant(factors)});
  }

  // Adds a Q/DQ pair if the style has them.
  std::string quantize(const std::string& x, float largest) {
    if (s_.quantization == QuantStyle::none || rounds_tokens()) return x;
    const std::string scale = g_.scalar(scale_for(s_.format, largest));
    const bool unequal = s_.quantization == QuantStyle::unequal;
    Tensor zero(dtype_of_format(s_.format), {});
    if (s_.quantization == QuantStyle::zero_point) zero.mutable_data<int8_t>()[0] = 3;
    const std::string zero_point = g_.constant(zero);
    const std::string codes = g_.op("QuantizeLinear", {x, scale, zero_point});
    return g_.op(
        "DequantizeLinear",
        {codes, unequal ? g_.scalar(scale_for(s_.format, 2 * largest)) : scale, zero_point});
  }

  // Returns the value that a linear layer reads.
  std::string rounded(const std::string& given, int64_t channels) {
    const std::string x = smoothed(given, channels);
    if (!rounds_tokens()) return quantize(x, 3);
    std::map<std::string, std::string> values = {{"x", x}};
    for (const Node& node : token_rounding(s_.format).body) {
      GraphBuilder::Names inputs;
      for (const auto& input : node.inputs) inputs.push_back(values.at(input));
      values[node.outputs[0]] = g_.op(node.op_type, inputs, node.attributes);
    }
    return values.at("y");
  }

  std::string linear(const std::string& x, int64_t in, int64_t out) {
    const std::string bias = g_.random({out}, 0.2f);
    if (s_.linear == LinearStyle::gemm) {
      const std::string flat = g_.reshape(x, {g_.ints({-1, in})});
      const std::string y = g_.op("Gemm", {flat, weight(in, out), bias}, {{"transB", int64_t{1}}});
      return g_.reshape(y, {g_.dim_as_list(ids_, 0), g_.dim_as_list(ids_, 1), g_.ints({out})});
    }
    const std::string y = g_.op("MatMul", {x, weight(in, out)});
    if (s_.linear == LinearStyle::no_bias) return y;
    if (s_.linear == LinearStyle::bias_first) return g_.op("Add", {bias, y});
    return g_.op("Add", {y, bias});
  }

  // ---- layer norm

  std::string norm(const std::string& x, int64_t width) {
    const std::string gamma = g_.random({width}, 0.3f, 1);
    const std::string beta = g_.random({width}, 0.3f);
    const std::string epsilon = g_.scalar(1e-5f);
    if (s_.norm == NormStyle::fused)
      return g_.op("LayerNormalization", {x, gamma, beta},
                   {{"axis", int64_t{-1}}, {"epsilon", 1e-5f}});
    const std::string mean = g_.mean(x);
    const std::string centered = g_.op("Sub", {x, mean});
    const std::string square = s_.norm == NormStyle::pow ? g_.op("Pow", {centered, g_.scalar(2)})
                                                         : g_.op("Mul", {centered, centered});
    const std::string root = g_.op("Sqrt", {g_.op("Add", {g_.mean(square), epsilon})});
    if (s_.norm == NormStyle::folded) {
      const std::string factor = g_.op("Mul", {g_.op("Reciprocal", {root}), gamma});
      const std::string shift = g_.op("Sub", {beta, g_.op("Mul", {mean, factor})});
      return g_.op("Add", {g_.op("Mul", {x, factor}), shift});
    }
    const std::string unit = g_.op("Div", {centered, root});
    return g_.op("Add", {g_.op("Mul", {unit, gamma}), beta});
  }

  // ---- activation

  std::string gelu(const std::string& x) {
    const auto erf_part = [&](const std::string& scaled) {
      return g_.op("Add", {g_.op("Erf", {scaled}), g_.scalar(1)});
    };
    const auto by_root = [&] {
      return g_.op("Div", {x, g_.node_constant(Tensor::scalar(1.41421356f))});
    };
    switch (s_.gelu) {
      case GeluStyle::half_last:
        return g_.op("Mul", {g_.op("Mul", {x, erf_part(by_root())}), g_.scalar(0.5f)});
      case GeluStyle::half_first:
        return g_.op("Mul", {g_.op("Mul", {x, g_.scalar(0.5f)}),
                             erf_part(g_.op("Mul", {x, g_.scalar(0.70710678f)}))});
      case GeluStyle::half_middle:
        return g_.op("Mul", {x, g_.op("Mul", {g_.scalar(0.5f), erf_part(by_root())})});
      case GeluStyle::fused:
        return g_.op("Gelu", {x});
      case GeluStyle::fused_tanh:
        return g_.op("Gelu", {x}, {{"approximate", std::string("tanh")}});
      case GeluStyle::tanh_pow:
        return tanh_gelu(x, g_.op("Pow", {x, g_.scalar(3)}));
      case GeluStyle::tanh_products:
        return tanh_gelu(x, g_.op("Mul", {g_.op("Mul", {x, x}), x}));
      case GeluStyle::relu:
        return g_.op("Relu", {x});
      case GeluStyle::quick:
        return g_.op("Mul", {x, g_.op("Sigmoid", {g_.op("Mul", {x, g_.scalar(1.702f)})})});
      case GeluStyle::relu6:
        return g_.op("Clip", {x, g_.scalar(0), g_.scalar(6)});
      case GeluStyle::relu6_min:
        return g_.op("Min", {g_.op("Relu", {x}), g_.scalar(6)});
      case GeluStyle::clipped:
        return clip(tanh_gelu(x, g_.op("Pow", {x, g_.scalar(3)})), 10);
      case GeluStyle::clipped_wide:
        return clip(tanh_gelu(x, g_.op("Pow", {x, g_.scalar(3)})), 1000);
    }
    return x;
  }

  std::string clip(const std::string& x, float bound) {
    return g_.op("Clip", {x, g_.scalar(-bound), g_.scalar(bound)});
  }

  std::string tanh_gelu(const std::string& x, const std::string& cube) {
    const std::string inner = g_.op("Add", {x, g_.op("Mul", {g_.scalar(0.044715f), cube})});
    const std::string t = g_.op("Tanh", {g_.op("Mul", {g_.scalar(0.79788456f), inner})});
    return g_.op("Mul", {g_.op("Mul", {g_.scalar(0.5f), x}), g_.op("Add", {g_.scalar(1), t})});
  }

  // ---- masks

  std::string mask() {
    const auto additive = [&](const std::string& keep) {
      const std::string wide = g_.cast(g_.unsqueeze(g_.unsqueeze(keep, 1), 2), DType::f32);
      return g_.op("Mul", {g_.op("Sub", {g_.scalar(1), wide}), g_.scalar(kLowest)});
    };
    switch (s_.mask) {
      case MaskStyle::additive:
      case MaskStyle::position_bias:
        return additive(mask_input_);
      case MaskStyle::from_ids:
        return additive(g_.op("Not", {g_.op("Equal", {ids_, g_.index(1)})}));
      case MaskStyle::gathered:
        return gathered_mask();
      case MaskStyle::causal:
      case MaskStyle::local:
        return g_.op("Add", {additive(mask_input_), distance_mask()});
      case MaskStyle::none:
      case MaskStyle::where_scores:
        return "";
    }
    return "";
  }

  // Returns a mask that is lowest where query and key are too far apart, or where the key comes
  // later.
  std::string distance_mask() {
    const std::string range = g_.op("Range", {g_.index(0), g_.dim(ids_, 1), g_.index(1)});
    const std::string distance = g_.op("Sub", {g_.unsqueeze(range, 0), g_.unsqueeze(range, 1)});
    const std::string refused = s_.mask == MaskStyle::causal
                                    ? g_.op("Greater", {distance, g_.index(0)})
                                    : g_.op("Greater", {g_.op("Abs", {distance}), g_.index(8)});
    return g_.op("Where", {refused, g_.scalar(kLowest), g_.scalar(0)});
  }

  std::string gathered_mask() {
    const auto range = [&](int64_t axis) {
      return g_.op("Range", {g_.index(0), g_.dim(ids_, axis), g_.index(1)});
    };
    const std::string rows = g_.unsqueeze(g_.unsqueeze(g_.unsqueeze(range(0), 1), 2), 3);
    const std::string columns = g_.unsqueeze(g_.unsqueeze(g_.unsqueeze(range(1), 0), 0), 0);
    const std::string shape = g_.op("Shape", {g_.op("Max", {rows, columns})});
    const auto expanded = [&](const std::string& x) {
      return g_.unsqueeze(g_.op("Expand", {x, shape}), -1);
    };
    const std::string indices =
        g_.op("Concat", {expanded(rows), expanded(columns)}, {{"axis", int64_t{-1}}});
    const std::string kept = g_.op("GatherND", {g_.cast(mask_input_, DType::boolean), indices});
    return g_.op("Where", {kept, g_.scalar(0), g_.scalar(kLowest)});
  }

  std::string masked(const std::string& scores) {
    if (s_.mask == MaskStyle::where_scores) {
      const std::string zero = g_.op("Equal", {mask_input_, g_.index(0)});
      const std::string shaped =
          g_.reshape(zero, {g_.dim_as_list(ids_, 0), g_.ints({1, 1}), g_.dim_as_list(scores, 3)});
      const std::string wide = g_.op("Expand", {shaped, g_.op("Shape", {scores})});
      return g_.op("Where", {wide, g_.scalar(kLowest), scores});
    }
    std::string y = scores;
    if (s_.mask == MaskStyle::position_bias) {
      const std::string table = g_.random({s_.positions, s_.heads}, 0.5f);
      const std::string range = g_.op("Range", {g_.index(0), g_.dim(ids_, 1), g_.index(1)});
      const std::string distance =
          g_.op("Abs", {g_.op("Sub", {g_.unsqueeze(range, 0), g_.unsqueeze(range, 1)})});
      const std::string bias = g_.transpose(g_.op("Gather", {table, distance}), {2, 0, 1});
      y = g_.op("Add", {y, g_.unsqueeze(bias, 0)});
    }
    return mask_.empty() ? y : g_.op("Add", {y, mask_});
  }

  // ---- attention

  std::string split_heads(const std::string& x, bool transposed) {
    const int64_t d = s_.hidden / s_.heads;
    std::string y =
        g_.reshape(x, {g_.dim_as_list(x, 0), g_.dim_as_list(x, 1), g_.ints({s_.heads, d})});
    y = g_.transpose(
        y, transposed ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1, 3});
    if (!s_.merged_heads) return y;
    return g_.reshape(y, {transposed ? g_.ints({-1, d}) : g_.ints({-1}),
                          transposed ? g_.dim_as_list(ids_, 1)
                                     : g_.op("Concat", {g_.dim_as_list(ids_, 1), g_.ints({d})},
                                             {{"axis", int64_t{0}}})});
  }

  std::string root_scale(const std::string& q) {
    const std::string d =
        g_.cast(g_.slice(g_.op("Shape", {q}), g_.ints({-1}), g_.ints({9}), 0), DType::f32);
    return g_.op("Sqrt", {g_.op("Div", {g_.scalar(1), g_.op("Sqrt", {d})})});
  }

  std::string scores(std::string q, const std::string& k_flat) {
    const float root = std::sqrt(static_cast<float>(s_.hidden / s_.heads));
    std::string k;
    const bool early = s_.quantization == QuantStyle::key_before_transpose;
    if (s_.scale == ScaleStyle::divide_query) q = g_.op("Div", {q, g_.scalar(root)});
    if (early) k = split_heads(quantize(k_flat, 3), true);
    else k = split_heads(k_flat, true);
    if (s_.scale == ScaleStyle::split_by_shape) {
      const std::string s = root_scale(q);
      q = g_.op("Mul", {q, s});
      k = g_.op("Mul", {k, s});
    }
    std::string y = g_.op("MatMul", {quantize(q, 3), early ? k : quantize(k, 3)});
    if (s_.merged_heads)
      y = g_.reshape(y,
                     {g_.ints({-1, s_.heads}), g_.dim_as_list(ids_, 1), g_.dim_as_list(ids_, 1)});
    if (s_.scale == ScaleStyle::clipped) y = clip(g_.op("Div", {y, g_.scalar(root)}), 10);
    if (s_.scale == ScaleStyle::divide_scores) y = g_.op("Div", {y, g_.scalar(root)});
    if (s_.scale == ScaleStyle::multiply_scores) y = g_.op("Mul", {g_.scalar(1 / root), y});
    y = masked(y);
    if (s_.scale == ScaleStyle::after_mask) y = g_.op("Div", {y, g_.scalar(root)});
    return y;
  }

  // Returns the context of all heads side by side.
  std::string fused_attention(const std::string& q, const std::string& k, const std::string& v) {
    if (s_.attention == AttentionStyle::op_heads_aside) {
      const std::string kept = g_.cast(mask_input_, DType::boolean);
      return g_.op("Attention", {q, k, v, g_.unsqueeze(g_.unsqueeze(kept, 1), 2)},
                   {{"q_num_heads", s_.heads}, {"kv_num_heads", s_.heads}, {"scale", 0.3f}});
    }
    const std::string y = g_.op(
        "Attention", {split_heads(q, false), split_heads(k, false), split_heads(v, false), mask_});
    return g_.reshape(g_.transpose(y, {0, 2, 1, 3}), {g_.ints({0, 0, s_.hidden})});
  }

  std::string attention(const std::string& x) {
    if (s_.attention != AttentionStyle::written_out) {
      const auto project = [&] { return linear(x, s_.hidden, s_.hidden); };
      const std::string q = project(), k = project(), v = project();
      return linear(fused_attention(q, k, v), s_.hidden, s_.hidden);
    }
    const auto project = [&] { return linear(rounded(x, s_.hidden), s_.hidden, s_.hidden); };
    const std::string q = split_heads(project(), false);
    const std::string k = project();
    const std::string v = split_heads(project(), false);
    std::string p = g_.op("Softmax", {scores(q, k)}, {{"axis", int64_t{3}}});
    if (s_.softmax_guard) p = g_.op("Where", {g_.op("IsNaN", {p}), g_.scalar(0), p});
    p = dropout(p);
    if (s_.merged_heads)
      p = g_.reshape(p, {g_.ints({-1}), g_.dim_as_list(ids_, 1), g_.dim_as_list(ids_, 1)});
    std::string y = g_.op("MatMul", {quantize(p, 1), quantize(v, 3)});
    if (s_.merged_heads)
      y = g_.reshape(
          y, {g_.ints({-1, s_.heads}), g_.dim_as_list(ids_, 1), g_.ints({s_.hidden / s_.heads})});
    y = g_.transpose(y, {0, 2, 1, 3});
    y = g_.reshape(y, {g_.dim_as_list(y, 0), g_.dim_as_list(y, 1), g_.ints({s_.hidden})});
    return dropout(linear(rounded(y, s_.hidden), s_.hidden, s_.hidden));
  }

  std::string feed_forward(const std::string& x) {
    const std::string y = gelu(linear(rounded(x, s_.hidden), s_.hidden, s_.ffn));
    return dropout(linear(rounded(y, s_.ffn), s_.ffn, s_.hidden));
  }

  std::string layer(const std::string& x) {
    const std::string residual = s_.quantization == QuantStyle::residual ? quantize(x, 4) : x;
    const std::string y = norm(g_.op("Add", {attention(x), residual}), s_.hidden);
    return norm(g_.op("Add", {feed_forward(y), y}), s_.hidden);
  }

  std::string pre_norm_layer(const std::string& x) {
    const std::string y = g_.op("Add", {attention(norm(x, s_.hidden)), x});
    return g_.op("Add", {feed_forward(norm(y, s_.hidden)), y});
  }

  // ---- embeddings

  std::string look_up(int64_t rows, int64_t width, const std::string& index) {
    const Tensor values = g_.random_tensor({rows, width}, 0.5f);
    if (s_.table == TableStyle::f32) return g_.op("Gather", {g_.constant(values), index});
    if (s_.table == TableStyle::f16)
      return g_.cast(g_.op("Gather", {g_.constant(values.to(DType::f16)), index}), DType::f32);
    const float scale = scale_for(s_.format, 0.5f);
    Tensor codes(dtype_of_format(s_.format), {rows, width});
    encode(s_.format, values.data<float>(), scale,
           {reinterpret_cast<uint8_t*>(codes.mutable_bytes()), codes.nbytes()});
    const std::string found = g_.op("Gather", {g_.constant(codes), index});
    if (s_.table == TableStyle::one_scale)
      return g_.op("DequantizeLinear",
                   {found, g_.scalar(scale), g_.constant(Tensor(codes.dtype(), {}))});
    Tensor scales(DType::f32, {rows});
    for (float& v : scales.mutable_data<float>()) v = scale;
    const std::string row_scale = g_.op("Gather", {g_.constant(scales), index});
    return g_.op("Mul", {g_.cast(found, DType::f32), g_.unsqueeze(row_scale, -1)});
  }

  std::string positions(int64_t width) {
    const std::string length = g_.dim_as_list(ids_, 1);
    if (s_.embedding == EmbeddingStyle::position_slice)
      return g_.slice(g_.random({s_.positions, width}, 0.5f), g_.ints({0}), length, 0);
    if (s_.embedding == EmbeddingStyle::position_input)
      return look_up(s_.positions, width, position_input_);
    if (s_.embedding == EmbeddingStyle::position_range)
      return look_up(s_.positions, width,
                     g_.op("Range", {g_.index(0), g_.dim(ids_, 1), g_.index(1)}));
    if (s_.embedding == EmbeddingStyle::roberta) {
      const std::string kept =
          g_.cast(g_.op("Not", {g_.op("Equal", {ids_, g_.index(1)})}), DType::i64);
      const std::string count =
          g_.op("Mul", {g_.op("CumSum", {kept, g_.constant(Tensor::scalar<int64_t>(1))}), kept});
      return look_up(s_.positions, width, g_.op("Add", {count, g_.index(1)}));
    }
    std::vector<int64_t> all(static_cast<size_t>(s_.positions));
    std::iota(all.begin(), all.end(), 0);
    const std::string buffer = g_.node_constant(Tensor::of<int64_t>({1, s_.positions}, all));
    return look_up(s_.positions, width, g_.slice(buffer, g_.ints({0}), length, 1));
  }

  std::string embeddings() {
    const int64_t width = s_.embedding == EmbeddingStyle::electra ? s_.hidden / 2 : s_.hidden;
    std::string x = look_up(s_.vocabulary, width, ids_);
    if (!types_.empty()) {
      x = g_.op("Add", {x, look_up(s_.types, width, types_)});
    } else if (s_.embedding == EmbeddingStyle::roberta ||
               s_.embedding == EmbeddingStyle::constant_types) {
      const std::string zeros = g_.op("Expand", {g_.ints({0}), g_.op("Shape", {ids_})});
      const int64_t rows = s_.embedding == EmbeddingStyle::roberta ? 1 : s_.types;
      x = g_.op("Add", {x, look_up(rows, width, zeros)});
    } else if (s_.embedding == EmbeddingStyle::constant_row) {
      x = g_.op("Add", {x, g_.random({width}, 0.5f)});
    }
    x = g_.op("Add", {x, positions(width)});
    for (int64_t i = 0; i < s_.doublings; ++i) x = g_.op("Add", {x, x});
    if (s_.constant_rows > 0) {
      const std::string row = g_.random({width}, 0.5f);
      for (int64_t i = 0; i < s_.constant_rows; ++i) x = g_.op("Add", {x, row});
    }
    x = dropout(norm(x, width));
    return s_.embedding == EmbeddingStyle::electra ? linear(x, width, s_.hidden) : x;
  }

  // ---- heads

  std::string gemm(const std::string& x, int64_t out) {
    return g_.op("Gemm", {x, g_.random({out, s_.hidden}, 0.3f), g_.random({out}, 0.2f)},
                 {{"transB", int64_t{1}}});
  }
  std::string tokenwise(const std::string& x, int64_t out) {
    return g_.op("Add",
                 {g_.op("MatMul", {x, g_.random({s_.hidden, out}, 0.3f)}), g_.random({out}, 0.2f)});
  }

  std::string softmax(const std::string& x) {
    return g_.op("Softmax", {x}, {{"axis", int64_t{-1}}});
  }

  // Returns the mean over the tokens that the mask keeps, as sentence-transformers computes it.
  std::string masked_mean(const std::string& x) {
    const std::string wide = g_.op("Expand", {g_.unsqueeze(mask_input_, -1), g_.op("Shape", {x})});
    const std::string kept = g_.cast(wide, DType::f32);
    const std::string sum = g_.reduce("ReduceSum", g_.op("Mul", {x, kept}), 1, false);
    const std::string count =
        g_.op("Clip", {g_.reduce("ReduceSum", kept, 1, false), g_.scalar(1e-9f)});
    return g_.op("Div", {sum, count});
  }

  Names head(const std::string& x) {
    const auto first = [&] { return g_.op("Gather", {x, g_.index(0)}, {{"axis", int64_t{1}}}); };
    const auto sliced = [&] { return g_.squeeze(g_.slice(x, g_.ints({0}), g_.ints({1}), 1), 1); };
    switch (s_.head) {
      case HeadStyle::bert:
        return {gemm(dropout(g_.op("Tanh", {gemm(first(), s_.hidden)})), s_.labels)};
      case HeadStyle::bert_slice:
        return {tokenwise(g_.op("Tanh", {tokenwise(sliced(), s_.hidden)}), s_.labels)};
      case HeadStyle::pre_classifier:
        return {gemm(dropout(g_.op("Relu", {gemm(first(), s_.hidden)})), s_.labels)};
      case HeadStyle::electra:
        return {gemm(gelu(gemm(first(), s_.hidden)), s_.labels)};
      case HeadStyle::direct:
        return {gemm(first(), s_.labels)};
      case HeadStyle::qa_split: {
        const Names parts =
            g_.ops("Split", {tokenwise(x, 2), g_.ints({1, 1})}, 2, {{"axis", int64_t{-1}}});
        return {g_.squeeze(parts[0], 2), g_.squeeze(parts[1], 2)};
      }
      case HeadStyle::qa_gather: {
        const std::string y = tokenwise(x, 2);
        const auto column = [&](int64_t i) {
          return g_.op("Gather", {y, g_.index(i)}, {{"axis", int64_t{-1}}});
        };
        return {column(0), column(1)};
      }
      case HeadStyle::tokens:
        return {tokenwise(x, s_.labels)};
      case HeadStyle::hidden:
        return {x};
      case HeadStyle::hidden_and_pooled:
        return {x, g_.op("Tanh", {gemm(first(), s_.hidden)})};
      case HeadStyle::softmax:
        return {softmax(gemm(first(), s_.labels))};
      case HeadStyle::sigmoid:
        return {g_.op("Sigmoid", {gemm(first(), s_.labels)})};
      case HeadStyle::cast:
        return {g_.cast(gemm(first(), s_.labels), DType::f16)};
      case HeadStyle::token_softmax:
        return {softmax(tokenwise(x, s_.labels))};
      case HeadStyle::first_token:
        return {first()};
      case HeadStyle::mean:
        return {gemm(g_.reduce("ReduceMean", x, 1, false), s_.labels)};
      case HeadStyle::embedding: {
        const std::string y = masked_mean(x);
        const std::string norm =
            g_.op("Clip", {g_.reduce("ReduceL2", y, 1, true), g_.scalar(1e-12f)});
        return {x, g_.op("Div", {y, g_.op("Expand", {norm, g_.op("Shape", {y})})})};
      }
      case HeadStyle::maximum: {
        const std::string padding = g_.op("Equal", {g_.unsqueeze(mask_input_, -1), g_.index(0)});
        return {g_.reduce("ReduceMax", g_.op("Where", {padding, g_.scalar(-1e9f), x}), 1, false)};
      }
      case HeadStyle::dense_embedding: {
        const std::string y = g_.op("Tanh", {gemm(masked_mean(x), s_.hidden / 2)});
        const std::string square = g_.reduce("ReduceSum", g_.op("Mul", {y, y}), 1, true);
        return {g_.op("Div", {y, g_.op("Sqrt", {square})})};
      }
      case HeadStyle::everything: {
        const std::string pooled = g_.op("Tanh", {gemm(first(), s_.hidden)});
        return {x, tokenwise(x, 2), pooled, gemm(dropout(pooled), s_.labels)};
      }
      case HeadStyle::sum:
        return {gemm(g_.reduce("ReduceSum", x, 1, false), s_.labels)};
      case HeadStyle::temperature:
        return {softmax(g_.op("Mul", {gemm(first(), s_.labels), g_.scalar(0.5f)}))};
      case HeadStyle::softmaxes: {
        std::string y = gemm(first(), s_.labels);
        for (int i = 0; i < 100; ++i) y = softmax(y);
        return {y};
      }
    }
    return {};
  }

  Style s_;
  GraphBuilder g_;
  std::string ids_, types_, mask_input_, position_input_, mask_;
};

}  // namespace

Model tiny_encoder(const Style& style) { return TinyEncoder(style).build(); }

}  // namespace fp8q::test
