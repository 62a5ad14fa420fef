// Tests the form of the rewritten graph: placement, types, shapes, codes, names.
#include "quantize/rewrite.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/token_rounding.h"
#include "quantize/choice.h"
#include "quantize/detect.h"
#include "quantize/manifest.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

Model convert(const Model& model, const std::vector<Site>& sites, const Recipe& recipe,
              const PlanOptions& options = {}) {
  const Statistics statistics = statistics_for(sites);
  return quantize_model(model, sites, make_plan(model, sites, &statistics, recipe, options));
}

Model convert(const Model& model, const Recipe& recipe = default_recipe()) {
  return convert(model, with_role(generic_sites(model), SiteRole::intermediate), recipe);
}

size_t count(const Model& model, std::string_view op_type) {
  return static_cast<size_t>(
      std::ranges::count(model.graph.nodes, op_type, [](const Node& n) { return n.op_type; }));
}

// Expects scale and zero point of a Q or DQ node to have the same shape, the types that the format
// asks for, and zero point 0.
void expect_parameters(const Model& model, const Node& node, Format format) {
  ASSERT_EQ(node.inputs.size(), 3u);
  const Tensor& scale = model.graph.initializers.at(node.inputs[1]);
  const Tensor& zero_point = model.graph.initializers.at(node.inputs[2]);
  EXPECT_EQ(scale.dtype(), DType::f32);
  EXPECT_EQ(scale.shape(), zero_point.shape());
  EXPECT_EQ(static_cast<int>(zero_point.dtype()), info(format).onnx_type);
  for (size_t i = 0; i < zero_point.nbytes(); ++i) EXPECT_EQ(zero_point.bytes()[i], std::byte{0});
  EXPECT_EQ(node.attributes.contains("axis"), scale.rank() == 1);
  EXPECT_FALSE(node.attributes.contains("saturate") || node.attributes.contains("output_dtype"));
}

// Expects that the product reads DQ(codes) whose codes are encode(w / scale of the channel).
void expect_weight(const Model& model, const Node& product, const Tensor& weight, int64_t axis,
                   Format format) {
  const Node* dequantize = find_node(model, product.inputs[1]);
  ASSERT_TRUE(dequantize);
  ASSERT_EQ(dequantize->op_type, "DequantizeLinear");
  expect_parameters(model, *dequantize, format);
  EXPECT_EQ(int_attribute(*dequantize, "axis", -9), axis);
  const Tensor& codes = model.graph.initializers.at(dequantize->inputs[0]);
  const Tensor& scale = model.graph.initializers.at(dequantize->inputs[1]);
  ASSERT_EQ(codes.shape(), weight.shape());
  EXPECT_EQ(scale.shape(), Shape{weight.dim(axis)});
  for (int64_t i = 0; i < weight.size(); ++i) {
    const int64_t channel = axis == 1 ? i % weight.dim(1) : i / weight.dim(1);
    const auto expected = encode(format, weight.data<float>()[static_cast<size_t>(i)],
                                 scale.data<float>()[static_cast<size_t>(channel)]);
    EXPECT_EQ(static_cast<uint8_t>(codes.bytes()[i]), expected) << i;
  }
}

// Expects that the product reads what a call makes of x.
void expect_token_rounding(const Model& model, const Node& product, Format format) {
  ASSERT_EQ(model.functions.size(), 1u);
  const LocalFunction& function = model.functions[0];
  EXPECT_EQ(function.name, "RoundTokens_" + std::string(info(format).name));
  ASSERT_EQ(function.calls.size(), 1u);
  EXPECT_EQ(function.calls[0].inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(function.calls[0].outputs, std::vector<std::string>{product.inputs[0]});
  EXPECT_EQ(product.inputs[0], "x/rounded");
  EXPECT_EQ(static_cast<size_t>(std::ranges::count_if(
                model.graph.nodes,
                [&](const Node& n) { return n.name.starts_with(function.calls[0].name + "/"); })),
            function.body.size());
  const auto sites = generic_sites(model);
  EXPECT_EQ(sites[0].value, "x");
  EXPECT_TRUE(sites[0].quantization && sites[0].quantization->per_token);
}

class RewriteOfEveryRecipe : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, RewriteOfEveryRecipe, testing::ValuesIn(recipes_by_channel()),
                         [](const auto& recipe) { return test_name(recipe.param); });

TEST_P(RewriteOfEveryRecipe, MatMulAndAdd) {
  const Tensor w = random_tensor({6, 5}, 1);
  const Model out = convert(linear_model(w), GetParam());
  const Node& product = *find_node(out, "xW");
  expect_weight(out, product, w, 1, GetParam().weights);
  EXPECT_FALSE(out.graph.initializers.contains("W")) << "the float weight must not stay";
  EXPECT_TRUE(out.graph.initializers.contains("b"));
  EXPECT_TRUE(out.graph.initializers.contains("W/quantized"));
  EXPECT_TRUE(out.graph.initializers.contains("W/scale"));
  if (is_dynamic(GetParam())) return expect_token_rounding(out, product, GetParam().activations);
  const Node& dequantize = *find_node(out, product.inputs[0]);
  const Node& quantize = *find_node(out, dequantize.inputs[0]);
  EXPECT_EQ(quantize.op_type, "QuantizeLinear");
  EXPECT_EQ(quantize.inputs[0], "x");
  expect_parameters(out, quantize, GetParam().activations);
  expect_parameters(out, dequantize, GetParam().activations);
  EXPECT_EQ(std::vector<std::string>(quantize.inputs.begin() + 1, quantize.inputs.end()),
            std::vector<std::string>(dequantize.inputs.begin() + 1, dequantize.inputs.end()));
  EXPECT_EQ(quantize.outputs[0], "x/quantized");
  EXPECT_EQ(dequantize.outputs[0], "x/dequantized");
}

TEST(Rewrite, EveryFormatOfTokensIsOneFunction) {
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 6}).output("z", {4, 6}).output("u", {4, 6});
  for (const char* w : {"W", "V", "U"}) b.constant(w, random_tensor({6, 6}, 1));
  b.node("MatMul", {"x", "W"}, "y").node("MatMul", {"y", "V"}, "z").node("MatMul", {"x", "U"}, "u");
  const auto sites = with_role(generic_sites(b.model), SiteRole::intermediate);
  PlanRequest request = recipe_request(*recipe_named("int8-dynamic"), sites);
  apply_choices(std::vector{parse_site_choice("node:z/*=e4m3")}, sites, request);
  const Model out = quantize_model(b.model, sites, make_plan(b.model, sites, nullptr, request));
  EXPECT_EQ(out.opsets.at(kFunctionDomain), kFunctionVersion);
  ASSERT_EQ(out.functions.size(), 2u);
  EXPECT_EQ(out.functions[0].name, "RoundTokens_e4m3");
  EXPECT_EQ(out.functions[0].calls.size(), 1u);
  EXPECT_EQ(out.functions[1].name, "RoundTokens_int8");
  EXPECT_EQ(out.functions[1].calls.size(), 1u) << "x once, for both of its products";
  EXPECT_EQ(find_node(out, "y")->inputs[0], find_node(out, "u")->inputs[0]);
}

TEST(Rewrite, NodesStayInTopologicalOrder) {
  const Model source = attention_model();
  Model out = convert(source, attention_sites(source), default_recipe());
  std::vector<std::string> before;
  for (const Node& node : out.graph.nodes) before.push_back(node.outputs[0]);
  sort_topologically(out.graph);
  std::vector<std::string> after;
  for (const Node& node : out.graph.nodes) after.push_back(node.outputs[0]);
  EXPECT_EQ(before, after);
  EXPECT_EQ(before,
            (std::vector<std::string>{"kT", "q/quantized", "q/dequantized", "kT/quantized",
                                      "kT/dequantized", "scores", "p", "p/quantized",
                                      "p/dequantized", "v/quantized", "v/dequantized", "y"}));
  EXPECT_EQ(find_node(out, "kT/quantized")->inputs[0], "kT") << "after the Transpose";
}

TEST(Rewrite, GemmWithTransposedWeight) {
  const Tensor w = random_tensor({5, 6}, 1);
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 5}).constant("W", w).constant("b", random_tensor({5}, 2));
  b.node("Gemm", {"x", "W", "b"}, "y", {{"transB", int64_t{1}}});
  const Model out = convert(b.model);
  const Node& gemm = *find_node(out, "y");
  expect_weight(out, gemm, w, 0, Format::e4m3);
  EXPECT_EQ(gemm.inputs[2], "b");
}

TEST(Rewrite, TransposeCastAndConstantNodeAreApplied) {
  const Tensor stored = random_tensor({5, 6}, 1).to(DType::f16);
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 5});
  b.node("Constant", {}, "C", {{"value", stored}});
  b.node("Cast", {"C"}, "F", {{"to", int64_t{1}}});
  b.node("Transpose", {"F"}, "T", {{"perm", std::vector<int64_t>{1, 0}}});
  b.node("MatMul", {"x", "T"}, "y");
  const Model out = convert(b.model);
  Tensor seen(DType::f32, {6, 5});
  const Tensor wide = stored.to(DType::f32);
  for (size_t i = 0; i < 5; ++i)
    for (size_t k = 0; k < 6; ++k)
      seen.mutable_data<float>()[k * 5 + i] = wide.data<float>()[i * 6 + k];
  expect_weight(out, *find_node(out, "y"), seen, 1, Format::e4m3);
  EXPECT_EQ(count(out, "Transpose") + count(out, "Cast") + count(out, "Constant"), 0u);
}

TEST(Rewrite, SharedActivationAndSharedWeight) {
  ModelBuilder b;
  b.input("x", {4, 6}).input("z", {4, 6}).output("q", {4, 5}).output("k", {4, 5});
  b.output("r", {4, 5}).constant("W", random_tensor({6, 5}, 1));
  b.constant("U", random_tensor({6, 5}, 2));
  b.node("MatMul", {"x", "W"}, "q").node("MatMul", {"x", "U"}, "k").node("MatMul", {"z", "W"}, "r");
  const Model out = convert(b.model);
  EXPECT_EQ(count(out, "QuantizeLinear"), 2u) << "one pair for x, one for z";
  EXPECT_EQ(count(out, "DequantizeLinear"), 4u) << "W once";
  EXPECT_EQ(find_node(out, "q")->inputs[0], find_node(out, "k")->inputs[0]);
  EXPECT_EQ(find_node(out, "q")->inputs[1], find_node(out, "r")->inputs[1]);
}

// One matrix is seen from both sides: [out, in] for Gemm, and [in, out] for MatMul, which has other
// channels.
TEST(Rewrite, OneWeightUnderTwoAxes) {
  const Tensor w = random_tensor({6, 6}, 1);
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 6}).output("z", {4, 6}).constant("W", w);
  b.node("MatMul", {"x", "W"}, "y").node("Gemm", {"x", "W"}, "z", {{"transB", int64_t{1}}});
  const Model out = convert(b.model);
  expect_weight(out, *find_node(out, "y"), w, 1, Format::e4m3);
  expect_weight(out, *find_node(out, "z"), w, 0, Format::e4m3);
}

TEST(Rewrite, NamesInUseAreAvoidedAndInterfaceKept) {
  Model source = linear_model(random_tensor({6, 5}, 1));
  source.graph.nodes[0].outputs[0] = "x/quantized";
  source.graph.nodes[1].inputs[0] = "x/quantized";
  source.graph.value_info = {{.name = "x/quantized", .dtype = DType::f32, .shape = {}},
                             {.name = "gone", .dtype = DType::f32, .shape = {}}};
  const Model out = convert(source);
  EXPECT_EQ(find_node(out, "x/quantized")->op_type, "MatMul");
  EXPECT_EQ(find_node(out, "x/quantized_2")->op_type, "QuantizeLinear");
  EXPECT_EQ(out.graph.inputs[0].name, "x");
  EXPECT_EQ(out.graph.outputs[0].name, "y");
  ASSERT_EQ(out.graph.value_info.size(), 1u);
  EXPECT_EQ(out.graph.value_info[0].name, "x/quantized");
  std::vector<std::string> names;
  for (const Node& node : out.graph.nodes) names.push_back(node.name);
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

bool same_graph(const Model& a, const Model& b) {
  const auto same_node = [](const Node& m, const Node& n) {
    return m.op_type == n.op_type && m.name == n.name && m.inputs == n.inputs &&
           m.outputs == n.outputs;
  };
  const auto same_tensor = [](const auto& m, const auto& n) {
    return m.first == n.first && identical(m.second, n.second);
  };
  return std::ranges::equal(a.graph.nodes, b.graph.nodes, same_node) &&
         std::ranges::equal(a.graph.initializers, b.graph.initializers, same_tensor) &&
         a.metadata == b.metadata;
}

TEST(Rewrite, Deterministic) {
  const Model source = attention_model();
  const auto sites = attention_sites(source);
  EXPECT_TRUE(same_graph(convert(source, sites, default_recipe()),
                         convert(source, sites, default_recipe())));
}

TEST(Rewrite, NothingToQuantizeChangesNothingButTheManifest) {
  const Model source = linear_model(random_tensor({6, 5}, 1));
  Model out = convert(source, with_role(generic_sites(source), SiteRole::head), default_recipe());
  EXPECT_EQ(out.metadata.size(), 1u);
  out.metadata.clear();
  EXPECT_TRUE(same_graph(out, source));
}

}  // namespace
}  // namespace fp8q::test
