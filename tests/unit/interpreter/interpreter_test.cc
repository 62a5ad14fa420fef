#include "interpreter/interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "fp8q/error.h"
#include "interpreter/operator.h"
#include "tests/support/errors.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Computes y = (x + (1 + 2)) * x.
Model sum_and_product() {
  return model(14, {input("x", DType::f32, {-1})},
               {node("Add", {"one", "two"}, {"three"}), node("Add", {"x", "three"}, {"sum"}),
                node("Mul", {"sum", "x"}, {"y"})},
               {"y"}, {{"one", Tensor::scalar(1.0f)}, {"two", Tensor::scalar(2.0f)}});
}

std::string run_error(const Model& m, const std::map<std::string, Tensor>& inputs, ErrorCode code) {
  return error_of(code, [&] { Interpreter(m).run(inputs); });
}

TEST(Interpreter, RunsAndReportsEveryValueItMakes) {
  const Model m = sum_and_product();
  const Interpreter interpreter(m);
  std::vector<std::string> made;
  const auto outputs =
      interpreter.run({{"x", Tensor::of<float>({2}, {1, 2})}},
                      [&](const std::string& value, const Tensor&) { made.push_back(value); });
  EXPECT_THAT(made, ElementsAre("sum", "y"));
  EXPECT_THAT(values<float>(outputs.at("y")), ElementsAre(4.0f, 10.0f));
}

TEST(Interpreter, KeepsConstantsThatAreRead) {
  const Model m = sum_and_product();
  const Interpreter interpreter(m);
  ASSERT_NE(interpreter.constant("three"), nullptr);
  EXPECT_THAT(values<float>(*interpreter.constant("three")), ElementsAre(3.0f));
  EXPECT_NE(interpreter.constant("one"), nullptr);  // an initializer
  EXPECT_EQ(interpreter.constant("sum"), nullptr);
}

TEST(Interpreter, ReturnsInputsAndConstantsThatAreOutputs) {
  const Model m = model(14, {input("x", DType::f32, {1})}, {node("Neg", {"c"}, {"folded"})},
                        {"x", "c", "folded"}, {{"c", Tensor::scalar(2.0f)}});
  const auto outputs = Interpreter(m).run({{"x", Tensor::of<float>({1}, {5})}});
  EXPECT_THAT(values<float>(outputs.at("x")), ElementsAre(5.0f));
  EXPECT_THAT(values<float>(outputs.at("c")), ElementsAre(2.0f));
  EXPECT_THAT(values<float>(outputs.at("folded")), ElementsAre(-2.0f));
}

TEST(Interpreter, ChecksItsInputs) {
  const Model m = sum_and_product();
  const Tensor x = Tensor::of<float>({1}, {1});
  EXPECT_THAT(run_error(m, {}, ErrorCode::bad_data), HasSubstr("\"x\" of the model is not given"));
  EXPECT_THAT(run_error(m, {{"x", x}, {"z", x}}, ErrorCode::bad_data), HasSubstr("no input \"z\""));
  EXPECT_THAT(run_error(m, {{"x", x.to(DType::i64)}}, ErrorCode::bad_data),
              HasSubstr("is int64, the model expects float"));
  EXPECT_THAT(run_error(m, {{"x", x.reshaped({1, 1})}}, ErrorCode::bad_data), HasSubstr("[1, 1]"));
}

TEST(Interpreter, NamesEveryOperatorItDoesNotHave) {
  Model m = model(17, {input("x", DType::f32, {1})},
                  {node("SkipLayerNormalization", {"x"}, {"a"}), node("Frobnicate", {"a"}, {"b"}),
                   node("Frobnicate", {"b"}, {"c"}), node("Gelu", {"c"}, {"y"})},
                  {"y"});
  m.graph.nodes[0].domain = "com.microsoft";
  m.graph.nodes[0].name = "fused";
  m.opsets["com.microsoft"] = 1;
  const std::string text = run_error(m, {}, ErrorCode::unsupported);
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("\"fused\" (operator SkipLayerNormalization, opset 1, domain com.microsoft)"),
            HasSubstr("Frobnicate \"b\" (operator Frobnicate, opset 17, domain ai.onnx)"),
            Not(HasSubstr("Frobnicate \"c\"")), HasSubstr("the operator exists from opset 20 on"),
            HasSubstr("without operator fusion")));
}

TEST(Interpreter, RefusesOpsetsItDoesNotKnow) {
  EXPECT_THAT(run_error(model(28, {}, {}, {}), {}, ErrorCode::unsupported), HasSubstr("opset 28"));
}

TEST(Interpreter, ListsItsOperators) {
  const auto operators = all_operators();
  EXPECT_GE(operators.size(), 92u);
  const auto key = [](const Operator& op) { return std::tuple(op.domain, op.name, op.since); };
  for (size_t i = 1; i < operators.size(); ++i) EXPECT_LT(key(operators[i - 1]), key(operators[i]));
  EXPECT_EQ(find_operator("", "Pad", 1), nullptr);
  EXPECT_EQ(find_operator("", "Pad", 10)->since, 2);
  EXPECT_EQ(find_operator("", "Pad", 11)->since, 11);
  EXPECT_EQ(find_operator("", "Pod", 11), nullptr);
}

// If a file breaks a rule, the result is an Error, never an assertion.
TEST(Interpreter, RejectsBrokenNodes) {
  const Tensor flag = Tensor::scalar(true);
  const Tensor x = Tensor::of<float>({2, 2}, {1, 2, 3, 4});
  const Tensor index = Tensor::scalar<int64_t>(0);
  const Tensor none = Tensor(DType::i64, {0});
  EXPECT_THROW(run_node(14, "Not", {flag, flag}), Error);
  EXPECT_THROW(run_node(14, "Add", {x}), Error);
  EXPECT_THROW(run_node(14, "Add", {x, index}), Error);
  EXPECT_THROW(run_node(14, "Add", {x, x, x}), Error);
  EXPECT_THROW(run_node(14, "Where", {x, x, x}), Error);
  EXPECT_THROW(run_node(14, "Trilu", {x, none}), Error);
  EXPECT_THROW(run_node(14, "Dropout", {x, x, none}), Error);
  EXPECT_THROW(run_node(14, "Gather", {x, x}), Error);
  EXPECT_THROW(run_node(14, "GatherND", {x, index}), Error);
  EXPECT_THROW(run_node(14, "Concat", {x, x}), Error);
  EXPECT_THROW(run_node(14, "Concat", {}), Error);
  EXPECT_THROW(run_node(14, "Transpose", {x}, {{"perm", std::vector<int64_t>{0, 0}}}), Error);
  EXPECT_THROW(run_node(14, "Softmax", {index}), Error);
  EXPECT_THROW(run_node(14, "Softmax", {x}, {{"axis", 1.0f}}), Error);
  EXPECT_THROW(run_node(14, "Cast", {x}, {{"to", int64_t{8}}}), Error);
  EXPECT_THROW(run_node(14, "Split", {x}, {{"axis", int64_t{7}}}), Error);
  EXPECT_THROW(run_node(14, "Range", {index, index, index}), Error);
  EXPECT_THROW(run_node(14, "DequantizeLinear", {x, Tensor::scalar(1.0f)}), Error);
}

TEST(Interpreter, NamesTheNodeOfAWrongIndex) {
  const Model m =
      model(14, {input("ids", DType::i64, {-1})}, {node("Gather", {"table", "ids"}, {"y"})}, {"y"},
            {{"table", Tensor::of<float>({2}, {1, 2})}});
  EXPECT_THAT(run_error(m, {{"ids", Tensor::of<int64_t>({1}, {2})}}, ErrorCode::bad_data),
              HasSubstr("Gather \"y\": index 2 is outside a dimension of 2"));
}

}  // namespace
}  // namespace fp8q::test
