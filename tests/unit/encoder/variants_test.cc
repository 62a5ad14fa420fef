// Every way of writing an encoder that is known: recognised, and described so that executing the
// description gives what the interpreter makes of the graph.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "encoder/recognise.h"
#include "engine/engine.h"
#include "fp8q/error.h"
#include "interpreter/interpreter.h"
#include "unit/encoder/reference.h"
#include "unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

struct Variant {
  std::string name;
  Style style;
};

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
  add("F16Weights", [](Style& s) { s.linear = LinearStyle::f16_weights; });
  add("HeadSlice", [](Style& s) { s.head = HeadStyle::bert_slice; });
  add("HeadDirect", [](Style& s) { s.head = HeadStyle::direct; });
  add("HeadOneLabel", [](Style& s) { s.labels = 1; });
  add("QaSplit", [](Style& s) { s.head = HeadStyle::qa_split; });
  add("QaGather", [](Style& s) { s.head = HeadStyle::qa_gather; });
  add("Tokens", [](Style& s) { s.head = HeadStyle::tokens; });
  add("Hidden", [](Style& s) { s.head = HeadStyle::hidden; });
  add("HiddenAndPooled", [](Style& s) { s.head = HeadStyle::hidden_and_pooled; });
  for (const auto& [name, format] :
       {std::pair{"E4m3", Format::e4m3}, {"E5m2", Format::e5m2}, {"Int8", Format::int8}}) {
    add(std::string("Quantized") + name,
        [&](Style& s) { s.quantization = QuantStyle::standard, s.format = format, s.opset = 21; });
    add(std::string("QuantizedScaledQuery") + name, [&](Style& s) {
      s.quantization = QuantStyle::standard, s.format = format, s.opset = 21;
      s.scale = ScaleStyle::split_by_shape;
    });
  }
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

Encoder recognised(const Model& model) {
  auto result = recognise_encoder(model);
  if (const auto* no = std::get_if<NotAnEncoder>(&result)) {
    ADD_FAILURE() << no->reason;
    return {};
  }
  return std::get<Encoder>(std::move(result));
}

Tensor tensor_of(const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>({1, static_cast<int64_t>(values.size())}, values);
}

class Variants : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(Encoder, Variants, testing::ValuesIn(variants()),
                         [](const auto& tested) { return tested.param.name; });

const std::vector<int64_t> kIds = {3, 17, 2, 44, 31, 9, 12, 25, 8, 50, 6, 40};
const std::vector<int64_t> kTypes = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1};

std::map<std::string, Tensor> interpreted(const Model& model, const Encoder& encoder) {
  std::map<std::string, Tensor> inputs;
  for (const auto& input : model.graph.inputs) {
    std::vector<int64_t> values(kIds.size(), 1);
    if (input.name == encoder.ids_input) values = kIds;
    if (input.name == encoder.token_type_input) values = kTypes;
    if (input.name == encoder.position_input)
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
    inputs.emplace(input.name, tensor_of(values));
  }
  return Interpreter(model).run(inputs);
}

void expect_near(const std::string& name, const std::vector<float>& actual, const Tensor& expected,
                 const Style& style) {
  // Quantised codes may fall to the other side of a rounding midpoint.
  const double tolerance = style.quantization == QuantStyle::none ? 2e-5 : 5e-2;
  ASSERT_EQ(actual.size(), static_cast<size_t>(expected.size()));
  for (size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], expected.data<float>()[i], tolerance) << name << "[" << i << "]";
}

TEST_P(Variants, DescriptionComputesWhatTheGraphDoes) {
  const Model model = tiny_encoder(GetParam().style);
  const Encoder encoder = recognised(model);
  ASSERT_FALSE(encoder.layers.empty());
  const auto expected = interpreted(model, encoder);
  const auto actual = run_description(encoder, kIds, kTypes);
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected)
    expect_near(name, actual.at(name), tensor, GetParam().style);
}

TEST_P(Variants, EngineComputesWhatTheGraphDoes) {
  const Model model = tiny_encoder(GetParam().style);
  const Encoder encoder = recognised(model);
  ASSERT_FALSE(encoder.layers.empty());
  const auto expected = interpreted(model, encoder);
  PackedBatch batch;
  batch.append(std::vector<int32_t>(kIds.begin(), kIds.end()),
               std::vector<int32_t>(kTypes.begin(), kTypes.end()));
  const auto actual = make_cpu_engine(encoder, ComputeType::fp32)->run(batch);
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& output : actual)
    expect_near(output.name, output.values, expected.at(output.name), GetParam().style);
}

TEST(EmptyTables, AreRefusedByTheEngine) {
  const Encoder encoder = recognised(tiny_encoder({}));
  ASSERT_TRUE(encoder.embeddings.token_type);
  for (const Shape& shape : {Shape{0, 32}, Shape{2, 0}}) {
    const Tensor empty(DType::f32, shape);
    Encoder word = encoder, position = encoder, token_type = encoder;
    word.embeddings.word.rows = empty;
    position.embeddings.position.rows = empty;
    token_type.embeddings.token_type->rows = empty;
    for (const Encoder* changed : {&word, &position, &token_type}) {
      try {
        make_cpu_engine(*changed, ComputeType::fp32);
        ADD_FAILURE() << "accepted a table of shape " << to_string(shape);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::bad_model) << error.what();
      }
    }
  }
}

// Each operand of each product is one Site's use, and the Site names the float value behind it.
TEST_P(Variants, SitesCoverTheProducts) {
  const Model model = tiny_encoder(GetParam().style);
  const Encoder encoder = recognised(model);
  const GraphIndex index(model.graph);
  std::set<std::pair<size_t, size_t>> slots, covered;
  for (size_t n = 0; n < model.graph.nodes.size(); ++n)
    if (const auto& op = model.graph.nodes[n].op_type; op == "MatMul" || op == "Gemm")
      slots.insert({{n, 0}, {n, 1}});
  std::set<std::string> paths;
  for (const Site& site : encoder.sites) {
    EXPECT_TRUE(paths.insert(site.path).second) << site.path;
    for (const Use& use : site.uses) {
      EXPECT_TRUE(covered.insert({use.node, use.input}).second) << site.path;
      std::string entering = model.graph.nodes[use.node].inputs[use.input];
      if (site.quantization && site.kind == SiteKind::activation)
        while (entering != site.value) {
          const Node* node = index.producer(entering);
          ASSERT_NE(node, nullptr) << site.path;
          entering = node->inputs[0];
        }
      // The three products of an attention may read reshapes of their own of one value.
      const bool own_reshape = GetParam().style.linear == LinearStyle::gemm;
      if (&use == &site.uses[0] || !own_reshape) {
        EXPECT_EQ(entering, site.value) << site.path;
      }
    }
    const bool weight = site.path.ends_with("/weight");
    EXPECT_EQ(site.kind == SiteKind::weight, weight) << site.path;
    EXPECT_EQ(site.channel_axis.has_value(), weight) << site.path;
  }
  EXPECT_EQ(covered, slots);
}

}  // namespace
}  // namespace fp8q::test
