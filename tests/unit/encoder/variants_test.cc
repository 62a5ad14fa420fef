// Tests every known way of writing an encoder. It must be recognized, and executing its description
// must give what the interpreter makes of the graph.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "encoder/widen.h"
#include "engine/engine.h"
#include "fp8q/error.h"
#include "interpreter/interpreter.h"
#include "unit/encoder/reference.h"
#include "unit/encoder/variants.h"

namespace fp8q::test {
namespace {

Tensor tensor_of(const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>({1, static_cast<int64_t>(values.size())}, values);
}

class Variants : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(Encoder, Variants, testing::ValuesIn(variants()),
                         [](const auto& tested) { return tested.param.name; });

const std::vector<int64_t> kIds = {3, 17, 2, 44, 31, 9, 12, 25, 8, 50, 6, 40};
// The id 1 is that of padding, which graphs may treat in their own way.
const std::vector<int64_t> kIdsWithPadding = {1, 17, 2, 44, 1, 1, 12, 25, 8, 50, 6, 1};
const std::vector<int64_t> kTypes = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1};

std::map<std::string, Tensor> interpreted(const Model& model, const Encoder& encoder,
                                          const std::vector<int64_t>& ids) {
  std::map<std::string, Tensor> inputs;
  for (const auto& input : model.graph.inputs) {
    std::vector<int64_t> values(kIds.size(), 1);
    if (input.name == encoder.ids_input) values = ids;
    if (input.name == encoder.token_type_input) values = kTypes;
    if (input.name == encoder.position_input)
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
    inputs.emplace(input.name, tensor_of(values));
  }
  return Interpreter(model).run(inputs);
}

// The graph in FP32 throughout, as the engine computes it. (In 16 bits, the operator Attention is
// defined by nodes with constants of 16 bits.)
Model in_float(const Style& style) {
  return style.type == DType::f32 ? tiny_encoder(style) : widened(opened(style)).model;
}

void expect_near(const std::string& name, const std::vector<float>& actual, const Tensor& expected,
                 double tolerance) {
  const Tensor wide = expected.to(DType::f32);
  ASSERT_EQ(actual.size(), static_cast<size_t>(wide.size()));
  for (size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], wide.data<float>()[i], tolerance) << name << "[" << i << "]";
}

// How far a type rounds values near 1.
double rounding_of(DType type) {
  return type == DType::f32 ? 0x1p-24 : type == DType::f16 ? 0x1p-11 : 0x1p-8;
}

// Quantized codes may fall to the other side of a rounding midpoint. In 16 bits, a graph's
// constants of GELU are rounded, while the engine has them exactly: a share u of them changes GELU
// by x^2 phi(x) u, at most 0.3 u, which the rest of these encoders increases at most fourfold.
double tolerance(const Style& style) {
  if (style.quantization != QuantStyle::none) return 5e-2;
  return 2e-5 + (style.type == DType::f32 ? 0 : 4 * 0.3 * rounding_of(style.type));
}

TEST_P(Variants, DescriptionComputesWhatTheGraphDoes) {
  const Encoder encoder = recognized(opened(GetParam().style));
  ASSERT_FALSE(encoder.layers.empty());
  const Model model = in_float(GetParam().style);
  for (const auto& ids : {kIds, kIdsWithPadding}) {
    if (encoder.masked_id && ids == kIdsWithPadding) continue;
    const auto expected = interpreted(model, encoder, ids);
    const auto actual = run_description(encoder, ids, kTypes);
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& [name, tensor] : expected)
      expect_near(name, actual.at(name), tensor, tolerance(GetParam().style));
  }
}

std::vector<Variant> variants_in_16_bits() {
  auto all = variants();
  std::erase_if(all, [](const Variant& v) {
    return v.style.type == DType::f32 || v.style.quantization != QuantStyle::none;
  });
  return all;
}

class VariantsIn16Bits : public testing::TestWithParam<Variant> {};
INSTANTIATE_TEST_SUITE_P(Encoder, VariantsIn16Bits, testing::ValuesIn(variants_in_16_bits()),
                         [](const auto& tested) { return tested.param.name; });

// Each result of a graph in 16 bits is rounded, by up to half a unit in its last place. These
// errors are independent, so that their sum grows with the root of their number: four deviations of
// a sum of such errors of values near 1.
TEST_P(VariantsIn16Bits, OnlyRoundResults) {
  const Style& style = GetParam().style;
  const Model model = tiny_encoder(style);
  const Encoder encoder = recognized(opened(style));
  const double bound =
      4 * rounding_of(style.type) * std::sqrt(static_cast<double>(model.graph.nodes.size()));
  const auto exact = interpreted(in_float(style), encoder, kIds);
  for (const auto& [name, tensor] : interpreted(model, encoder, kIds)) {
    const auto values = exact.at(name).data<float>();
    expect_near(name, {values.begin(), values.end()}, tensor, bound);
  }
}

PackedBatch batch_of(const std::vector<int64_t>& ids) {
  PackedBatch batch;
  batch.append(std::vector<int32_t>(ids.begin(), ids.end()),
               std::vector<int32_t>(kTypes.begin(), kTypes.end()));
  return batch;
}

TEST_P(Variants, EngineComputesWhatTheGraphDoes) {
  const Encoder encoder = recognized(opened(GetParam().style));
  ASSERT_FALSE(encoder.layers.empty());
  const Model model = in_float(GetParam().style);
  const auto engine = make_cpu_engine(encoder, ComputeType::fp32);
  for (const auto& ids : {kIds, kIdsWithPadding}) {
    if (encoder.masked_id && ids == kIdsWithPadding) {
      EXPECT_THROW(engine->run(batch_of(ids)), Error) << "attends to every token";
      continue;
    }
    const auto expected = interpreted(model, encoder, ids);
    const auto actual = engine->run(batch_of(ids));
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& output : actual)
      expect_near(output.name, output.values, expected.at(output.name),
                  tolerance(GetParam().style));
  }
}

TEST(EmptyTables, AreRefusedByTheEngine) {
  const Encoder encoder = recognized(tiny_encoder({}));
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
  const Model model = opened(GetParam().style);
  const Encoder encoder = recognized(model);
  const GraphIndex index(model.graph);
  std::set<std::pair<size_t, size_t>> slots, covered;
  for (size_t n = 0; n < model.graph.nodes.size(); ++n)
    if (const auto& op = model.graph.nodes[n].op_type; op == "MatMul" || op == "Gemm")
      slots.insert({{n, 0}, {n, 1}});
  std::set<std::string> paths;
  for (const Site& site : encoder.sites) {
    EXPECT_TRUE(paths.insert(site.path).second) << site.path;
    if (!is_operand(site.role)) continue;
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

// The other Sites are values of the graph, and list everything that reads them.
TEST_P(Variants, OtherSitesAreValues) {
  const Model model = opened(GetParam().style);
  const Encoder encoder = recognized(model);
  const GraphIndex index(model.graph);
  size_t residuals = 0;
  for (const Site& site : encoder.sites) {
    if (site.residual) {
      ++residuals;
      EXPECT_EQ(model.graph.nodes[site.residual->node].op_type, "Add") << site.path;
    }
    if (is_operand(site.role)) continue;
    EXPECT_NE(index.producer(site.value), nullptr) << site.path;
    const auto readers = index.uses(site.value);
    EXPECT_EQ(site.uses, std::vector<Use>(readers.begin(), readers.end())) << site.path;
    EXPECT_TRUE(!site.uses.empty() || index.is_graph_output(site.value)) << site.path;
  }
  EXPECT_EQ(residuals, 2 * encoder.layers.size());
}

}  // namespace
}  // namespace fp8q::test
