// Tests the rounding of tokens: what its call stands for, what it computes, and that it is found
// again.
#include "graph/token_rounding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"
#include "interpreter/interpreter.h"
#include "numeric/token_scale.h"

namespace fp8q::test {
namespace {

// Makes x [rows, 5] -> RoundTokens -> r -> MatMul W -> y.
Model rounding_model(Format format) {
  Model model;
  model.ir_version = 10;
  model.opsets = {{"", 21}, {kFunctionDomain, kFunctionVersion}};
  Graph& graph = model.graph;
  graph.inputs = {{.name = "x", .has_shape = true, .shape = {{-1, "rows"}, {5, ""}}}};
  graph.outputs = {{.name = "y", .shape = {}}, {.name = "r", .shape = {}}};
  graph.initializers["W"] = Tensor::of<float>({5, 1}, {1, 2, 3, 4, 5});
  const LocalFunction function = token_rounding(format);
  Node call;
  call.op_type = function.name;
  call.domain = function.domain;
  call.name = "call";
  call.inputs = {"x"};
  call.outputs = {"r"};
  FreshNames names(graph);
  graph.nodes = expand(function, call, names);
  Node product;
  product.op_type = "MatMul";
  product.inputs = {"r", "W"};
  product.outputs = {"y"};
  graph.nodes.push_back(product);
  return model;
}

std::optional<TokenRounding> found_in(const Model& model) {
  const GraphIndex index(model.graph);
  const auto contents = [&](const std::string& value) -> const Tensor* {
    const Node* node = index.producer(value);
    return node && node->op_type == "Constant" ? &std::get<Tensor>(node->attributes.at("value"))
                                               : index.initializer(value);
  };
  return find_token_rounding(index, "r", contents);
}

class TokenRoundingTest : public testing::TestWithParam<Format> {};
INSTANTIATE_TEST_SUITE_P(Formats, TokenRoundingTest, testing::ValuesIn(kEveryFormat),
                         [](const auto& test) { return std::string(fp8q::info(test.param).name); });

TEST_P(TokenRoundingTest, RoundsEveryRowByItsOwnScale) {
  const size_t rows = 40, columns = 5;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> x(rows * columns);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = normal(random) * std::pow(10.0f, static_cast<float>(i / columns) - 20.0f);
  std::fill_n(x.begin(), columns, 0.0f);
  x[columns] = -0.0f;
  std::fill_n(x.begin() + 2 * columns, columns, 1e-42f);
  x[3 * columns] = 1e38f;
  const Model model = rounding_model(GetParam());
  const auto result = Interpreter(model).run(
      {{"x", Tensor::of<float>({static_cast<int64_t>(rows), static_cast<int64_t>(columns)}, x)}});
  const auto r = result.at("r").data<float>();
  for (size_t row = 0; row < rows; ++row) {
    float absmax = 0;
    for (size_t c = 0; c < columns; ++c) absmax = std::max(absmax, std::fabs(x[row * columns + c]));
    const float scale = token_scale(GetParam(), absmax);
    for (size_t c = 0; c < columns; ++c) {
      const size_t i = row * columns + c;
      EXPECT_EQ(r[i], decode(GetParam(), encode(GetParam(), x[i], scale)) * scale) << x[i];
      EXPECT_LE(std::fabs(r[i] - x[i]), absmax / 7 + 1e-37f) << x[i];
    }
  }
}

TEST_P(TokenRoundingTest, IsFoundAgain) {
  const Model model = rounding_model(GetParam());
  EXPECT_EQ(model.graph.nodes.front().name, "call/last_axis");
  EXPECT_EQ(model.graph.nodes.front().outputs[0], "call/last_axis");
  const auto found = found_in(model);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->input, "x");
  EXPECT_EQ(found->quantization.format, GetParam());
  EXPECT_TRUE(found->quantization.per_token);
  const auto sites = generic_sites(model);
  ASSERT_EQ(sites.size(), 2u);
  EXPECT_EQ(sites[0].value, "x");
  ASSERT_TRUE(sites[0].quantization);
  EXPECT_TRUE(same(*sites[0].quantization, found->quantization));
}

TEST(TokenRounding, WhatDiffersIsNotFound) {
  const Model good = rounding_model(Format::int8);
  const auto index_of = [&](const std::string& value) {
    const auto& nodes = good.graph.nodes;
    return static_cast<size_t>(std::ranges::find(nodes, "call/" + value, &Node::name) -
                               nodes.begin());
  };
  const auto expect_not_found = [&](const std::string& value, auto change) {
    Model model = good;
    change(model.graph.nodes.at(index_of(value)));
    EXPECT_FALSE(found_in(model)) << value;
  };
  const auto constant = [](Tensor tensor) {
    return [tensor](Node& node) { node.attributes["value"] = tensor; };
  };
  expect_not_found("last_axis", constant(Tensor::of<int64_t>({1}, {0})));
  expect_not_found("largest", constant(Tensor::scalar(448.0f)));
  expect_not_found("smallest_scale", constant(Tensor::scalar(1e-6f)));
  expect_not_found("one", constant(Tensor::scalar(2.0f)));
  expect_not_found("zero_point", constant(Tensor(DType::u8, {})));
  expect_not_found("absmax", [](Node& node) { node.attributes["keepdims"] = int64_t{0}; });
  expect_not_found("absmax", [](Node& node) { node.op_type = "ReduceMin"; });
  expect_not_found("magnitude", [](Node& node) { node.inputs[0] = "W"; });
  expect_not_found("codes", [](Node& node) { node.attributes["saturate"] = int64_t{0}; });
  expect_not_found("y", [](Node& node) { node.inputs[1] = "call/quotient"; });
  expect_not_found("scaled", [](Node& node) { node.op_type = "Mul"; });
}

}  // namespace
}  // namespace fp8q::test
