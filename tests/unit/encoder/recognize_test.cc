// Tests what is found in encoders, and the reasons given for other graphs.
#include "encoder/recognize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "encoder/output_meaning.h"
#include "encoder/summary.h"
#include "unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename Change>
std::variant<Encoder, NotAnEncoder> recognize(Change change) {
  Style style;
  change(style);
  return recognize_encoder(tiny_encoder(style));
}

template <typename Change>
Encoder found(Change change) {
  auto result = recognize(change);
  if (const auto* no = std::get_if<NotAnEncoder>(&result)) throw std::runtime_error(no->reason);
  return std::get<Encoder>(std::move(result));
}

template <typename Change>
std::string reason(Change change) {
  const auto result = recognize(change);
  const auto* no = std::get_if<NotAnEncoder>(&result);
  return no ? no->reason : "recognized";
}

const Site& site(const Encoder& encoder, const std::string& path) {
  for (const Site& s : encoder.sites)
    if (s.path == path) return s;
  throw std::runtime_error("no site " + path);
}

TEST(Recognize, Sizes) {
  const Encoder encoder = found([](Style&) {});
  const EncoderSummary summary = summarize(encoder);
  EXPECT_EQ(summary.layers, 2);
  EXPECT_EQ(summary.hidden, 32);
  EXPECT_EQ(summary.heads, 4);
  EXPECT_EQ(summary.head_size, 8);
  EXPECT_EQ(summary.ffn, 48);
  EXPECT_EQ(summary.vocabulary, 60);
  EXPECT_EQ(summary.positions, 90);
  EXPECT_EQ(summary.token_types, 2);
  EXPECT_EQ(summary.activation, "gelu");
  EXPECT_EQ(summary.head, "pooler 32 tanh, classifier 3; first token");
  EXPECT_EQ(summary.quantized_sites, 0);
  // The terms are the tables and their norm, then four square products, two norms and two
  // rectangular products per layer, then the head.
  EXPECT_EQ(summary.parameters, (60 + 90 + 2) * 32 + 64 +
                                    2 * (4 * (32 * 32 + 32) + 128 + 32 * 48 + 48 + 48 * 32 + 32) +
                                    32 * 32 + 32 + 32 * 3 + 3);
}

TEST(Recognize, InputsByTheirUse) {
  const Model model = tiny_encoder({});
  const auto result = recognize_encoder(model);
  const Encoder& encoder = std::get<Encoder>(result);
  EXPECT_EQ(encoder.ids_input, model.graph.inputs[0].name);
  EXPECT_EQ(encoder.mask_input, model.graph.inputs[1].name);
  EXPECT_EQ(encoder.token_type_input, model.graph.inputs[2].name);
  EXPECT_EQ(encoder.position_input, "");
}

TEST(Recognize, PositionsOfRobertaStartBehindPadding) {
  const Encoder encoder = found([](Style& s) { s.embedding = EmbeddingStyle::roberta; });
  EXPECT_EQ(encoder.embeddings.position_rule.first, 2);
  EXPECT_EQ(encoder.embeddings.position_rule.padding_id, 1);
  EXPECT_EQ(encoder.max_positions, 88);
  EXPECT_EQ(encoder.token_type_input, "");
  EXPECT_EQ(encoder.embeddings.token_type->rows.dim(0), 1);
}

TEST(Recognize, TokensThatAttentionLeavesOut) {
  EXPECT_EQ(found([](Style&) {}).masked_id, std::nullopt);
  EXPECT_EQ(found([](Style& s) { s.mask = MaskStyle::from_ids; }).masked_id, 1);
}

TEST(Recognize, TheScaleWhereItIsApplied) {
  const float whole = 1 / std::sqrt(8.0f), root = std::sqrt(whole);
  const auto scales = [](ScaleStyle style) {
    const Encoder e = found([&](Style& s) { s.scale = style; });
    const Attention& a = e.layers[1].attention;
    return std::vector<float>{a.scale, a.query_scale, a.key_scale};
  };
  using testing::FloatEq;
  EXPECT_THAT(scales(ScaleStyle::divide_scores), ElementsAre(FloatEq(whole), 1, 1));
  EXPECT_THAT(scales(ScaleStyle::multiply_scores), ElementsAre(FloatEq(whole), 1, 1));
  EXPECT_THAT(scales(ScaleStyle::divide_query), ElementsAre(1, FloatEq(whole), 1));
  EXPECT_THAT(scales(ScaleStyle::split_by_shape), ElementsAre(1, FloatEq(root), FloatEq(root)));
  EXPECT_THAT(scales(ScaleStyle::after_mask), ElementsAre(FloatEq(whole), 1, 1));
}

TEST(Recognize, ScaleBehindQuantizationBelongsToTheProduct) {
  const Encoder encoder = found([](Style& s) {
    s.quantization = QuantStyle::key_before_transpose, s.opset = 21;
    s.scale = ScaleStyle::split_by_shape;
  });
  const Attention& a = encoder.layers[0].attention;
  const float root = std::sqrt(1 / std::sqrt(8.0f));
  EXPECT_FLOAT_EQ(a.query_scale, root);
  EXPECT_FLOAT_EQ(a.key_scale, 1);
  EXPECT_FLOAT_EQ(a.scale, root);
}

TEST(Recognize, SitesOfALayer) {
  const Encoder encoder = found([](Style& s) { s.head = HeadStyle::hidden, s.layers = 1; });
  std::vector<std::string> paths;
  for (const Site& s : encoder.sites) paths.push_back(s.path);
  EXPECT_THAT(
      paths,
      ElementsAre("embeddings.sum", "layer.0/attention.input", "layer.0/attention.query/weight",
                  "layer.0/attention.key/weight", "layer.0/attention.value/weight",
                  "layer.0/attention/query", "layer.0/attention/key",
                  "layer.0/attention/probabilities", "layer.0/attention/value",
                  "layer.0/attention/scores", "layer.0/attention.output/input",
                  "layer.0/attention.output/weight", "layer.0/attention.output/result",
                  "layer.0/attention.residual", "layer.0/ffn.intermediate/input",
                  "layer.0/ffn.intermediate/weight", "layer.0/ffn.intermediate/result",
                  "layer.0/ffn.output/input", "layer.0/ffn.output/weight",
                  "layer.0/ffn.output/result", "layer.0/ffn.residual"));
  EXPECT_EQ(encoder.sites[1].uses.size(), 3);
}

TEST(Recognize, QuantizationIsFoundAtEverySiteOfLayers) {
  const Encoder encoder =
      found([](Style& s) { s.quantization = QuantStyle::standard, s.opset = 21; });
  for (const Site& s : encoder.sites) {
    const bool expected = s.layer >= 0 && is_operand(s.role);
    ASSERT_EQ(s.quantization.has_value(), expected) << s.path;
    if (!expected) continue;
    EXPECT_EQ(s.quantization->format, Format::e4m3);
    EXPECT_EQ(s.quantization->axis.has_value(), s.kind == SiteKind::weight) << s.path;
  }
  EXPECT_EQ(encoder.layers[0].query.weight.dtype(), DType::e4m3);
}

TEST(Recognize, WeightsStayAsTheyStandInTheFile) {
  const Encoder f16 = found([](Style& s) { s.linear = LinearStyle::f16_weights; });
  EXPECT_EQ(f16.layers[0].intermediate.weight.dtype(), DType::f16);
  const Encoder turned = found([](Style& s) { s.linear = LinearStyle::transposed_constant; });
  EXPECT_TRUE(turned.layers[0].intermediate.transposed);
  EXPECT_EQ(turned.layers[0].intermediate.weight.shape(), (Shape{48, 32}));
  EXPECT_EQ(site(turned, "layer.0/ffn.intermediate/weight").channel_axis, 1);
  const Encoder gemm = found([](Style& s) { s.linear = LinearStyle::gemm; });
  EXPECT_TRUE(gemm.layers[0].intermediate.transposed);
  EXPECT_EQ(site(gemm, "layer.0/ffn.intermediate/weight").channel_axis, 0);
}

// Codes stay codes if the engine can decode them, and weights of 16 bits keep their payload.
TEST(Recognize, WeightsBehindCasts) {
  for (const auto style : {LinearStyle::cast_codes, LinearStyle::cast_unsigned_codes}) {
    const Encoder encoder = found([&](Style& s) { s.linear = style; });
    EXPECT_EQ(encoder.layers[0].query.weight.dtype(), DType::i8);
    const Site& weight = site(encoder, "layer.0/attention.query/weight");
    ASSERT_TRUE(weight.quantization);
    EXPECT_EQ(weight.quantization->format, Format::int8);
    EXPECT_EQ(weight.quantization->axis, 1);
    EXPECT_FALSE(site(encoder, "layer.0/attention.input").quantization);
  }
  const Encoder affine = found([](Style& s) { s.linear = LinearStyle::cast_affine_codes; });
  EXPECT_EQ(affine.layers[0].query.weight.dtype(), DType::f32);
  const Encoder half = found([](Style& s) { s.type = DType::f16; });
  EXPECT_EQ(half.layers[0].query.weight.dtype(), DType::f16);
  EXPECT_EQ(half.embeddings.word.rows.dtype(), DType::f16);
}

TEST(Recognize, Outputs) {
  const Encoder qa = found([](Style& s) { s.head = HeadStyle::qa_split; });
  EXPECT_TRUE(is_per_token(qa, qa.outputs[1].rows));
  EXPECT_EQ(qa.outputs[1].column, 1);
  EXPECT_EQ(kind_of(qa, qa.outputs[1]), OutputKind::token_logits);
  const Encoder both = found([](Style& s) { s.head = HeadStyle::hidden_and_pooled; });
  EXPECT_EQ(kind_of(both, both.outputs[0]), OutputKind::hidden_states);
  EXPECT_EQ(kind_of(both, both.outputs[1]), OutputKind::pooler);
  EXPECT_EQ(both.head.size(), 1);
  const Encoder none = found([](Style& s) { s.head = HeadStyle::hidden; });
  EXPECT_TRUE(none.head.empty());
  EXPECT_EQ(summarize(none).head, "hidden states");
}

TEST(Recognize, WhatOutputsAre) {
  const auto text = [](HeadStyle style) {
    const Encoder e = found([&](Style& s) { s.head = style; });
    return describe(e, e.outputs.back());
  };
  EXPECT_EQ(text(HeadStyle::bert), "logits: classifier");
  EXPECT_EQ(text(HeadStyle::softmax), "probabilities: classifier, softmax");
  EXPECT_EQ(text(HeadStyle::sigmoid), "probabilities: classifier, sigmoid");
  EXPECT_EQ(text(HeadStyle::qa_split), "logits of every token: classifier, column 1");
  EXPECT_EQ(text(HeadStyle::hidden), "hidden states");
  EXPECT_EQ(text(HeadStyle::hidden_and_pooled), "pooled first token: pooler");
  EXPECT_EQ(text(HeadStyle::first_token), "sentence embedding: first token");
  EXPECT_EQ(text(HeadStyle::embedding), "sentence embedding: mean of tokens, normalized");
  EXPECT_EQ(text(HeadStyle::dense_embedding), "sentence embedding: pooler, normalized");
  EXPECT_EQ(text(HeadStyle::everything), "logits: classifier");
}

// The Sites found without recognition are the same places.
TEST(GenericSites, AreTheSitesOfTheEncoder) {
  for (const auto quantization : {QuantStyle::none, QuantStyle::standard}) {
    Style style;
    style.quantization = quantization, style.opset = 21;
    const Model model = tiny_encoder(style);
    Encoder encoder = std::get<Encoder>(recognize_encoder(model));
    std::erase_if(encoder.sites, [](const Site& s) { return !is_operand(s.role); });
    const std::vector<Site> generic = generic_sites(model);
    ASSERT_EQ(generic.size(), encoder.sites.size());
    for (const Site& s : encoder.sites) {
      const auto same_place = std::ranges::find_if(
          generic, [&](const Site& g) { return g.uses.front() == s.uses.front(); });
      ASSERT_NE(same_place, generic.end()) << s.path;
      EXPECT_EQ(same_place->uses, s.uses) << s.path;
      EXPECT_EQ(same_place->value, s.value) << s.path;
      EXPECT_EQ(same_place->kind, s.kind) << s.path;
      EXPECT_EQ(same_place->channel_axis, s.channel_axis) << s.path;
      EXPECT_EQ(same_place->role == SiteRole::probabilities, s.role == SiteRole::probabilities);
      ASSERT_EQ(same_place->quantization.has_value(), s.quantization.has_value()) << s.path;
      if (s.quantization) {
        EXPECT_TRUE(same(*same_place->quantization, *s.quantization));
      }
    }
  }
}

TEST(NotAnEncoder, MasksThatHideTokens) {
  EXPECT_THAT(reason([](Style& s) { s.mask = MaskStyle::causal; }), HasSubstr("causal or local"));
  EXPECT_THAT(reason([](Style& s) { s.mask = MaskStyle::local; }), HasSubstr("causal or local"));
  EXPECT_THAT(reason([](Style& s) { s.mask = MaskStyle::position_bias; }),
              HasSubstr("position bias"));
}

// These functions are those of an encoder except for a bound.
TEST(NotAnEncoder, Bounds) {
  for (const auto style :
       {GeluStyle::relu6, GeluStyle::relu6_min, GeluStyle::clipped, GeluStyle::clipped_wide}) {
    EXPECT_THAT(reason([&](Style& s) { s.gelu = style; }), HasSubstr("no GELU"));
    EXPECT_THAT(reason([&](Style& s) { s.gelu = style, s.ffn = 2; }), HasSubstr("no GELU"));
  }
  EXPECT_THAT(reason([](Style& s) { s.scale = ScaleStyle::clipped; }), HasSubstr("a limit"));
}

TEST(NotAnEncoder, SumsOfManyEmbeddings) {
  EXPECT_THAT(reason([](Style& s) { s.doublings = 1; }), HasSubstr("more than 4 embeddings"));
  EXPECT_THAT(reason([](Style& s) { s.doublings = 60; }), HasSubstr("more than 4 embeddings"));
  EXPECT_THAT(reason([](Style& s) { s.constant_rows = 2; }), HasSubstr("more than 4 embeddings"));
  EXPECT_THAT(reason([](Style& s) { s.constant_rows = 50000; }),
              HasSubstr("more than 4 embeddings"));
}

TEST(NotAnEncoder, EmptyTables) {
  EXPECT_THAT(reason([](Style& s) { s.types = 0; }), HasSubstr("table is empty"));
  EXPECT_THAT(
      reason([](Style& s) { s.positions = 0, s.embedding = EmbeddingStyle::position_input; }),
      HasSubstr("table is empty"));
}

TEST(NotAnEncoder, OtherStructure) {
  EXPECT_THAT(reason([](Style& s) { s.pre_norm = true; }), HasSubstr("pre-LN"));
  EXPECT_THAT(reason([](Style& s) { s.extra_node = true; }), HasSubstr("Sigmoid"));
  EXPECT_THAT(reason([](Style& s) { s.gelu = GeluStyle::quick; }), HasSubstr("no GELU"));
  EXPECT_THAT(reason([](Style& s) { s.head = HeadStyle::sum; }), HasSubstr("ReduceSum"));
  EXPECT_THAT(reason([](Style& s) { s.head = HeadStyle::temperature; }), HasSubstr("no GELU"));
  // Padding would be pooled.
  EXPECT_THAT(reason([](Style& s) { s.head = HeadStyle::mean, s.fixed_shape = true; }),
              HasSubstr("a fixed number of tokens"));
  EXPECT_THAT(reason([](Style& s) { s.head = HeadStyle::softmaxes; }), HasSubstr("more than 32"));
}

TEST(NotAnEncoder, OtherQuantization) {
  const auto reason_for = [](QuantStyle style) {
    return reason([&](Style& s) {
      s.quantization = style, s.opset = 21;
      s.format = style == QuantStyle::zero_point ? Format::int8 : Format::e4m3;
    });
  };
  EXPECT_THAT(reason_for(QuantStyle::zero_point), HasSubstr("zero point"));
  EXPECT_THAT(reason_for(QuantStyle::unequal), HasSubstr("differ"));
  EXPECT_THAT(reason_for(QuantStyle::residual), HasSubstr("differently quantized"));
}

}  // namespace
}  // namespace fp8q::test
