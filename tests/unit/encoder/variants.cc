#include "unit/encoder/variants.h"

#include <gtest/gtest.h>

#include <ostream>

#include "encoder/expand_attention.h"
#include "encoder/recognize.h"

namespace fp8q::test {

std::ostream& operator<<(std::ostream& out, const Variant& variant) { return out << variant.name; }

std::vector<Variant> variants() {
  std::vector<Variant> all = {{"Base", {}}};
  const auto add = [&](const std::string& name, auto change) {
    Variant variant{name, {}};
    change(variant.style);
    all.push_back(std::move(variant));
  };
  add("Opset11", [](Style& s) { s.opset = 11; });
  add("Opset18", [](Style& s) { s.opset = 18; });
  add("FixedShape", [](Style& s) { s.fixed_shape = true; });
  add("OneHead", [](Style& s) { s.heads = 1; });
  add("OneLayer", [](Style& s) { s.layers = 1; });
  add("ShortPositions", [](Style& s) { s.positions = 16; });
  add("Dropout", [](Style& s) { s.dropout = true; });
  add("NormSelfProduct", [](Style& s) { s.norm = NormStyle::self_product; });
  add("NormFolded", [](Style& s) { s.norm = NormStyle::folded; });
  add("NormFused", [](Style& s) { s.norm = NormStyle::fused, s.opset = 17; });
  add("GeluHalfFirst", [](Style& s) { s.gelu = GeluStyle::half_first; });
  add("GeluHalfMiddle", [](Style& s) { s.gelu = GeluStyle::half_middle; });
  add("GeluFused", [](Style& s) { s.gelu = GeluStyle::fused, s.opset = 20; });
  add("GeluFusedTanh", [](Style& s) { s.gelu = GeluStyle::fused_tanh, s.opset = 20; });
  add("GeluTanhPow", [](Style& s) { s.gelu = GeluStyle::tanh_pow; });
  add("GeluTanhProducts", [](Style& s) { s.gelu = GeluStyle::tanh_products; });
  add("Relu", [](Style& s) { s.gelu = GeluStyle::relu; });
  add("ScaleMultiplies", [](Style& s) { s.scale = ScaleStyle::multiply_scores; });
  add("ScaleOfQuery", [](Style& s) { s.scale = ScaleStyle::divide_query; });
  add("ScaleSplit", [](Style& s) { s.scale = ScaleStyle::split_by_shape; });
  add("ScaleAfterMask", [](Style& s) { s.scale = ScaleStyle::after_mask; });
  add("MaskNone", [](Style& s) { s.mask = MaskStyle::none; });
  add("MaskWhere", [](Style& s) { s.mask = MaskStyle::where_scores; });
  add("MaskGathered", [](Style& s) { s.mask = MaskStyle::gathered; });
  add("MaskFromIds", [](Style& s) { s.mask = MaskStyle::from_ids; });
  add("SoftmaxGuard", [](Style& s) { s.softmax_guard = true; });
  add("MergedHeads", [](Style& s) { s.merged_heads = true; });
  add("PositionRange", [](Style& s) { s.embedding = EmbeddingStyle::position_range; });
  add("PositionInput", [](Style& s) { s.embedding = EmbeddingStyle::position_input; });
  add("PositionSlice", [](Style& s) { s.embedding = EmbeddingStyle::position_slice; });
  add("Roberta", [](Style& s) { s.embedding = EmbeddingStyle::roberta, s.head = HeadStyle::bert; });
  add("RobertaWithoutMask",
      [](Style& s) { s.embedding = EmbeddingStyle::roberta, s.mask = MaskStyle::from_ids; });
  add("DistilBert", [](Style& s) {
    s.embedding = EmbeddingStyle::distilbert, s.head = HeadStyle::pre_classifier;
    s.mask = MaskStyle::where_scores, s.scale = ScaleStyle::divide_query;
  });
  add("Electra",
      [](Style& s) { s.embedding = EmbeddingStyle::electra, s.head = HeadStyle::electra; });
  add("ConstantTypes", [](Style& s) { s.embedding = EmbeddingStyle::constant_types; });
  add("ConstantRow", [](Style& s) { s.embedding = EmbeddingStyle::constant_row; });
  add("TableF16", [](Style& s) { s.table = TableStyle::f16; });
  add("TableRowScales", [](Style& s) { s.table = TableStyle::row_scales, s.opset = 21; });
  add("TableRowScalesInt8",
      [](Style& s) { s.table = TableStyle::row_scales, s.format = Format::int8; });
  add("TableOneScale", [](Style& s) { s.table = TableStyle::one_scale, s.opset = 21; });
  add("BiasFirst", [](Style& s) { s.linear = LinearStyle::bias_first; });
  add("Gemm", [](Style& s) { s.linear = LinearStyle::gemm; });
  add("TransposedConstant", [](Style& s) { s.linear = LinearStyle::transposed_constant; });
  add("NoBias", [](Style& s) { s.linear = LinearStyle::no_bias; });
  add("CastCodes", [](Style& s) { s.linear = LinearStyle::cast_codes; });
  add("CastUnsignedCodes", [](Style& s) { s.linear = LinearStyle::cast_unsigned_codes; });
  add("CastAffineCodes", [](Style& s) { s.linear = LinearStyle::cast_affine_codes; });
  for (const auto& [name, mask] : {std::pair{"", MaskStyle::additive},
                                   {"GatheredMask", MaskStyle::gathered},
                                   {"WithoutMask", MaskStyle::none}})
    add(std::string("AttentionHeadsApart") + name, [&](Style& s) {
      s.attention = AttentionStyle::op_heads_apart, s.mask = mask, s.opset = 23;
    });
  add("AttentionHeadsAside",
      [](Style& s) { s.attention = AttentionStyle::op_heads_aside, s.opset = 24; });
  add("AttentionF16", [](Style& s) {
    s.attention = AttentionStyle::op_heads_aside, s.opset = 23, s.type = DType::f16;
  });
  for (const auto& [name, type] : {std::pair{"F16", DType::f16}, {"Bf16", DType::bf16}}) {
    add(name, [&](Style& s) { s.type = type; });
    add(std::string(name) + "Fused", [&](Style& s) {
      s.type = type, s.opset = 20, s.norm = NormStyle::fused, s.gelu = GeluStyle::fused;
      s.scale = ScaleStyle::split_by_shape, s.mask = MaskStyle::gathered;
    });
  }
  add("F16Gemm", [](Style& s) { s.type = DType::f16, s.linear = LinearStyle::gemm; });
  add("F16Roberta", [](Style& s) { s.type = DType::f16, s.embedding = EmbeddingStyle::roberta; });
  add("F16Quantized",
      [](Style& s) { s.type = DType::f16, s.quantization = QuantStyle::standard, s.opset = 21; });
  add("F16Weights", [](Style& s) { s.linear = LinearStyle::f16_weights; });
  add("HeadSlice", [](Style& s) { s.head = HeadStyle::bert_slice; });
  add("HeadDirect", [](Style& s) { s.head = HeadStyle::direct; });
  add("HeadOneLabel", [](Style& s) { s.labels = 1; });
  add("QaSplit", [](Style& s) { s.head = HeadStyle::qa_split; });
  add("QaGather", [](Style& s) { s.head = HeadStyle::qa_gather; });
  add("Tokens", [](Style& s) { s.head = HeadStyle::tokens; });
  add("Hidden", [](Style& s) { s.head = HeadStyle::hidden; });
  add("HiddenAndPooled", [](Style& s) { s.head = HeadStyle::hidden_and_pooled; });
  for (const auto& [name, head] : {std::pair{"Softmax", HeadStyle::softmax},
                                   {"Sigmoid", HeadStyle::sigmoid},
                                   {"TokenSoftmax", HeadStyle::token_softmax},
                                   {"FirstToken", HeadStyle::first_token},
                                   {"Cast", HeadStyle::cast},
                                   {"Mean", HeadStyle::mean},
                                   {"Embedding", HeadStyle::embedding},
                                   {"Maximum", HeadStyle::maximum},
                                   {"DenseEmbedding", HeadStyle::dense_embedding},
                                   {"Everything", HeadStyle::everything}})
    add(std::string("Head") + name, [&](Style& s) { s.head = head; });
  add("EmbeddingOpset18", [](Style& s) { s.head = HeadStyle::embedding, s.opset = 18; });
  for (const auto& [name, format] :
       {std::pair{"E4m3", Format::e4m3}, {"E5m2", Format::e5m2}, {"Int8", Format::int8}}) {
    add(std::string("Quantized") + name,
        [&](Style& s) { s.quantization = QuantStyle::standard, s.format = format, s.opset = 21; });
    add(std::string("QuantizedScaledQuery") + name, [&](Style& s) {
      s.quantization = QuantStyle::standard, s.format = format, s.opset = 21;
      s.scale = ScaleStyle::split_by_shape;
    });
  }
  for (const auto& [name, format] : {std::pair{"E4m3", Format::e4m3}, {"Int8", Format::int8}}) {
    add(std::string("QuantizedTokens") + name,
        [&](Style& s) { s.quantization = QuantStyle::tokens, s.format = format, s.opset = 21; });
    add(std::string("Smoothed") + name,
        [&](Style& s) { s.quantization = QuantStyle::smoothed, s.format = format, s.opset = 21; });
    add(std::string("SmoothedTokens") + name, [&](Style& s) {
      s.quantization = QuantStyle::smoothed_tokens, s.format = format, s.opset = 21;
    });
  }
  add("QuantizedTokensDynamo", [](Style& s) {
    s.quantization = QuantStyle::tokens, s.format = Format::int8, s.opset = 21;
    s.norm = NormStyle::fused, s.gelu = GeluStyle::half_middle;
    s.scale = ScaleStyle::split_by_shape, s.mask = MaskStyle::gathered;
  });
  add("QuantizedKeyEarly",
      [](Style& s) { s.quantization = QuantStyle::key_before_transpose, s.opset = 21; });
  add("QuantizedKeyEarlyScaled", [](Style& s) {
    s.quantization = QuantStyle::key_before_transpose, s.opset = 21;
    s.scale = ScaleStyle::split_by_shape;
  });
  add("Dynamo", [](Style& s) {
    s.opset = 18, s.norm = NormStyle::fused, s.gelu = GeluStyle::half_middle;
    s.scale = ScaleStyle::multiply_scores, s.mask = MaskStyle::gathered;
  });
  return all;
}

Model opened(const Style& style) {
  Model model = tiny_encoder(style);
  expand_attention(model);
  return model;
}

Encoder recognized(const Model& model) {
  auto result = recognize_encoder(model);
  if (const auto* no = std::get_if<NotAnEncoder>(&result)) {
    ADD_FAILURE() << no->reason;
    return {};
  }
  return std::get<Encoder>(std::move(result));
}

}  // namespace fp8q::test
