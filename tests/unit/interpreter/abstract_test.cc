#include "interpreter/abstract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fp8q/error.h"
#include "tests/support/errors.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using ::testing::HasSubstr;

// Reshapes [batch, sequence, 6] to [batch, sequence, 2, 3], as exporters split heads.
Model split_heads() {
  return model(
      14, {input("x", DType::f32, {-1, -1, 6})},
      {node("Shape", {"x"}, {"shape"}), node("Gather", {"shape", "zero"}, {"batch"}),
       node("Gather", {"shape", "one"}, {"sequence"}),
       node("Unsqueeze", {"batch", "axes"}, {"batch_1"}),
       node("Unsqueeze", {"sequence", "axes"}, {"sequence_1"}),
       node("Concat", {"batch_1", "sequence_1", "heads"}, {"wanted"}, {{"axis", int64_t{0}}}),
       node("Reshape", {"x", "wanted"}, {"y"})},
      {"y"},
      {{"zero", Tensor::scalar<int64_t>(0)},
       {"one", Tensor::scalar<int64_t>(1)},
       {"axes", Tensor::of<int64_t>({1}, {0})},
       {"heads", Tensor::of<int64_t>({2}, {2, 3})}});
}

std::string abstract_error(const Model& m, const std::map<std::string, Shape>& shapes,
                           ErrorCode code) {
  return error_of(code, [&] { evaluate_abstractly(m, shapes); });
}

TEST(Abstract, FollowsShapeArithmetic) {
  const Model m = split_heads();
  const AbstractValues values = evaluate_abstractly(m, input_shapes_for(m, 4, 7));
  EXPECT_EQ(values.at("y").shape, (Shape{4, 7, 2, 3}));
  EXPECT_EQ(values.at("y").dtype, DType::f32);
  EXPECT_FALSE(values.at("y").contents);
  ASSERT_TRUE(values.at("wanted").contents);
  EXPECT_EQ(test::values<int64_t>(*values.at("wanted").contents),
            (std::vector<int64_t>{4, 7, 2, 3}));
}

TEST(Abstract, ComputesWhatDependsOnConstantsOnly) {
  const Model m = model(
      19, {input("x", DType::f32, {1, 2})},
      {node("DequantizeLinear", {"codes", "scale"}, {"weight"}),
       node("MatMul", {"x", "weight"}, {"y"})},
      {"y"}, {{"codes", Tensor::of<int8_t>({2, 1}, {3, -4})}, {"scale", Tensor::scalar(0.5f)}});
  const AbstractValues values = evaluate_abstractly(m, {{"x", {1, 2}}});
  ASSERT_TRUE(values.at("weight").contents);
  EXPECT_EQ(test::values<float>(*values.at("weight").contents), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_FALSE(values.at("y").contents);
  EXPECT_EQ(values.at("y").shape, (Shape{1, 1}));
}

TEST(Abstract, DecodesAWeightWhenItIsLookedAt) {
  constexpr int64_t kRows = 512, kColumns = 256;
  std::vector<int8_t> codes(static_cast<size_t>(kRows * kColumns));
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<int8_t>(i % 251);
  const Model m = model(
      19, {input("x", DType::f32, {kRows, 1})},
      {node("DequantizeLinear", {"codes", "scale"}, {"stored"}),
       node("Transpose", {"stored"}, {"weight"}), node("Identity", {"scale"}, {"small"}),
       node("MatMul", {"weight", "x"}, {"y"})},
      {"y"}, {{"codes", Tensor::of({kRows, kColumns}, codes)}, {"scale", Tensor::scalar(0.5f)}});
  const AbstractValues values = evaluate_abstractly(m, {{"x", {kRows, 1}}});
  const Contents stored = values.at("stored").contents, weight = values.at("weight").contents;
  EXPECT_TRUE(values.at("small").contents.is_made());
  ASSERT_TRUE(stored && weight);
  EXPECT_FALSE(stored.is_made() || weight.is_made());
  EXPECT_TRUE(identical(*weight, *Interpreter(m).constant("weight")));
  EXPECT_TRUE(values.at("stored").contents.is_made()) << "copies share what was made";
}

TEST(Abstract, RefusesShapesThatDependOnTheInput) {
  const Model m = model(14, {input("x", DType::f32, {-1}), input("n", DType::i64, {1})},
                        {node("Reshape", {"x", "n"}, {"y"})}, {"y"});
  EXPECT_THAT(abstract_error(m, {{"x", {3}}, {"n", {1}}}, ErrorCode::unsupported),
              HasSubstr("Reshape \"y\": the shape of its output depends on the contents of \"n\""));
}

TEST(Abstract, NeedsAShapeForEveryInput) {
  EXPECT_THAT(abstract_error(split_heads(), {}, ErrorCode::bad_data), HasSubstr("\"x\""));
}

TEST(Abstract, ChoosesInputShapes) {
  const Model m = model(14,
                        {input("ids", DType::i64, {-1, -1}), input("fixed", DType::i64, {1, -1}),
                         input("batch_only", DType::i64, {-1})},
                        {}, {});
  const auto shapes = input_shapes_for(m, 3, 9);
  EXPECT_EQ(shapes.at("ids"), (Shape{3, 9}));
  EXPECT_EQ(shapes.at("fixed"), (Shape{1, 9}));
  EXPECT_EQ(shapes.at("batch_only"), (Shape{3}));
}

// A few bytes must not become gigabytes.
TEST(Abstract, CapsWhatConstantsMayGrowTo) {
  const auto huge = [](std::vector<int64_t> dims) {
    const auto n = static_cast<int64_t>(dims.size());
    return model(14, {}, {node("ConstantOfShape", {"n"}, {"y"})}, {"y"},
                 {{"n", Tensor::of<int64_t>({n}, dims)}});
  };
  EXPECT_THAT(abstract_error(huge({int64_t{1} << 40}), {}, ErrorCode::limit),
              HasSubstr("ConstantOfShape \"y\""));
  EXPECT_THAT(abstract_error(huge({int64_t{1} << 62, 1 << 20}), {}, ErrorCode::limit),
              HasSubstr("cannot hold"));
  EXPECT_THROW(Interpreter{huge({int64_t{1} << 40})}, Error);

  // Each tensor is below the cap of one tensor, and together they are above the budget.
  Model chain = huge({1 << 21});  // 8 MB
  for (int i = 0; i < 8; ++i)
    chain.graph.nodes.push_back(node("Expand", {"y", "n"}, {fmt::format("z{}", i)}));
  EXPECT_THAT(abstract_error(chain, {}, ErrorCode::limit), HasSubstr("Expand \"z5\""));
}

}  // namespace
}  // namespace fp8q::test
