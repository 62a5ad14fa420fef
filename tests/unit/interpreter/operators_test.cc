// Tests what the ONNX node tests leave out: old opsets, operators without node tests here, corner
// cases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fp8q/error.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using ::testing::ElementsAre;

using I = std::vector<int64_t>;

Tensor ints(I v) { return Tensor::of<int64_t>({static_cast<int64_t>(v.size())}, v); }

TEST(OldOpsets, BroadcastByAttribute) {
  const Tensor a = floats({2, 2, 1}, {1, 2, 3, 4});
  const Tensor b = floats({2}, {10, 20});
  EXPECT_EQ(
      values<float>(run_node(6, "Add", {a, b}, {{"broadcast", int64_t{1}}, {"axis", int64_t{0}}})),
      (F{11, 12, 23, 24}));
  EXPECT_EQ(
      values<float>(run_node(6, "Add", {a, b}, {{"broadcast", int64_t{1}}, {"axis", int64_t{1}}})),
      (F{11, 22, 13, 24}));
}

TEST(OldOpsets, AttributesThatBecameInputs) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(run_node(4, "Reshape", {x}, {{"shape", I{3, -1}}}).shape(), (Shape{3, 2}));
  EXPECT_EQ(
      values<float>(run_node(9, "Slice", {x}, {{"starts", I{1}}, {"ends", I{9}}, {"axes", I{1}}})),
      (F{2, 3, 5, 6}));
  EXPECT_EQ(run_node(11, "Unsqueeze", {x}, {{"axes", I{0, -1}}}).shape(), (Shape{1, 2, 3, 1}));
  EXPECT_EQ(run_node(11, "Squeeze", {x.reshaped({1, 6})}, {{"axes", I{0}}}).shape(), (Shape{6}));
  EXPECT_EQ(values<float>(run_node(11, "ReduceSum", {x}, {{"axes", I{1}}})), (F{6, 15}));
  EXPECT_EQ(values<float>(run_node(14, "ReduceMean", {x}, {{"axes", I{-1}}})), (F{2, 5}));
  EXPECT_EQ(values<float>(run_node(6, "Clip", {x}, {{"min", 2.0f}, {"max", 4.0f}})),
            (F{2, 2, 3, 4, 4, 4}));
  EXPECT_EQ(values<float>(run_node(11, "Split", {x}, {{"axis", int64_t{1}}, {"split", I{3}}})),
            values<float>(x));
}

TEST(OldOpsets, SoftmaxFlattens) {
  const Tensor x = floats({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(values<float>(run_node(12, "Softmax", {x})), (F{0.25f, 0.25f, 0.25f, 0.25f}));
  EXPECT_EQ(values<float>(run_node(13, "Softmax", {x})), (F{0.5f, 0.5f, 0.5f, 0.5f}));
}

TEST(Arithmetic, IntegersWrapAndTruncate) {
  const auto lowest = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(values<int64_t>(run_node(14, "Div", {ints({-7, lowest}), ints({2, -1})})),
            (I{-3, lowest}));
  EXPECT_EQ(values<int64_t>(run_node(14, "Mod", {ints({-7, 7}), ints({3, -3})})), (I{2, -2}));
  EXPECT_EQ(
      values<int64_t>(run_node(14, "Mod", {ints({-7, 7}), ints({3, -3})}, {{"fmod", int64_t{1}}})),
      (I{-1, 1}));
  const Tensor bytes = Tensor::of<uint8_t>({1}, {200});
  EXPECT_THAT(values<uint8_t>(run_node(14, "Add", {bytes, bytes})), ElementsAre(144));
  EXPECT_THROW(run_node(14, "Div", {ints({1}), ints({0})}), Error);
  EXPECT_EQ(values<int64_t>(run_node(15, "Pow", {ints({3}), ints({39})})),
            (I{4052555153018976267}));
}

TEST(Arithmetic, HalvesAreRoundedOnce) {
  // 1 + 2^-11 + 2^-24 in float rounds up to the next half. Through two roundings it would not.
  const Tensor a = Tensor::of<Float16>({1}, {Float16(1.0f)});
  const Tensor b = Tensor::of<Float16>({1}, {Float16(0x1.004p-11f)});
  EXPECT_EQ(static_cast<float>(run_node(14, "Add", {a, b}).data<Float16>()[0]), 1.0f + 0x1p-10f);
}

TEST(Cast, DoubleToFloat8IsRoundedOnce) {
  // This value is just above the midpoint of 1 and 1.125. Float would drop the excess and tie to
  // even.
  const Tensor x = Tensor::of<double>({1}, {1.0625 + 1e-12});
  const Tensor y = run_node(19, "Cast", {x}, {{"to", int64_t{17}}});
  EXPECT_EQ(static_cast<float>(y.data<Float8E4M3>()[0]), 1.125f);
}

TEST(Cast, ToIntegersTruncatesAndSaturates) {
  const Tensor x = floats({5}, {-1.9f, 2.9f, 1e30f, -1e30f, NAN});
  EXPECT_EQ(
      values<int64_t>(run_node(13, "Cast", {x}, {{"to", int64_t{7}}})),
      (I{-1, 2, std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), 0}));
  EXPECT_EQ(values<bool>(run_node(13, "Cast", {x}, {{"to", int64_t{9}}})),
            std::vector<bool>(5, true));
}

TEST(MatMul, EveryTypeGivesTheSameProduct) {
  const Tensor a = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor b = floats({3, 2}, {1, 0, 2, -1, 0, 3});
  for (const DType dtype :
       {DType::f32, DType::f16, DType::bf16, DType::f64, DType::i32, DType::i64})
    EXPECT_EQ(values<float>(run_node(13, "MatMul", {a.to(dtype), b.to(dtype)}).to(DType::f32)),
              (F{5, 7, 14, 13}))
        << name(dtype);
}

// Compares the blocked loop with the definition, at sizes around the blocks.
TEST(MatMul, SumsInDouble) {
  for (const int64_t m : {1, 4, 5})
    for (const int64_t n : {1, 255, 256, 300}) {
      constexpr int64_t kInner = 37;
      Tensor a(DType::f32, {m, kInner});
      Tensor b(DType::f32, {kInner, n});
      for (int64_t i = 0; i < a.size(); ++i)
        a.mutable_data<float>()[i] = 1e4f / static_cast<float>(i % 23 - 11.5f);
      for (int64_t i = 0; i < b.size(); ++i)
        b.mutable_data<float>()[i] = static_cast<float>(i % 19) - 9.1f;
      const Tensor y = run_node(13, "MatMul", {a, b});
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          double sum = 0;
          for (int64_t k = 0; k < kInner; ++k)
            sum += static_cast<double>(a.data<float>()[i * kInner + k]) *
                   static_cast<double>(b.data<float>()[k * n + j]);
          ASSERT_EQ(y.data<float>()[i * n + j], static_cast<float>(sum)) << i << ", " << j;
        }
    }
}

TEST(Indices, GatherElementsGatherNdScatterNd) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run_node(13, "GatherElements", {x, Tensor::of<int64_t>({2, 1}, {1, -2})},
                                   {{"axis", int64_t{1}}})),
            (F{2, 3}));
  EXPECT_EQ(values<float>(run_node(13, "GatherND", {x, Tensor::of<int64_t>({2, 1}, {1, 0})},
                                   {{"batch_dims", int64_t{1}}})),
            (F{2, 3}));
  const Tensor at = Tensor::of<int64_t>({2, 2}, {0, 1, 0, 1});
  EXPECT_EQ(values<float>(
                run_node(16, "ScatterND", {x, at, floats({2}, {10, 20})}, {{"reduction", "add"}})),
            (F{1, 32, 3, 4}));
  EXPECT_EQ(values<float>(run_node(16, "ScatterND", {x, at, floats({2}, {10, 20})})),
            (F{1, 20, 3, 4}));
}

TEST(Layout, TriluPadTile) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run_node(14, "Trilu", {x})), (F{1, 2, 0, 4}));
  EXPECT_EQ(values<float>(
                run_node(14, "Trilu", {x, Tensor::scalar<int64_t>(-1)}, {{"upper", int64_t{0}}})),
            (F{0, 0, 3, 0}));
  EXPECT_EQ(values<float>(
                run_node(18, "Pad", {floats({3}, {1, 2, 3}), ints({2, 1})}, {{"mode", "reflect"}})),
            (F{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(values<float>(
                run_node(13, "Pad", {floats({3}, {1, 2, 3}), ints({-1, 1}), Tensor::scalar(9.0f)})),
            (F{2, 3, 9}));
  EXPECT_EQ(values<float>(run_node(13, "Tile", {x, ints({1, 2})})), (F{1, 2, 1, 2, 3, 4, 3, 4}));
}

TEST(Reductions, EmptyAndExtremes) {
  const Tensor none(DType::f32, {0});
  EXPECT_EQ(run_node(20, "ReduceMax", {none}, {{"keepdims", int64_t{0}}}).data<float>()[0],
            -INFINITY);
  EXPECT_EQ(values<float>(run_node(18, "ReduceL2", {floats({2}, {3, 4})})), (F{5}));
  EXPECT_EQ(values<float>(run_node(18, "ReduceProd", {floats({2}, {3, 4})})), (F{12}));
  // In float, 1e8 + 1 - 1e8 loses the one.
  EXPECT_EQ(values<float>(run_node(13, "ReduceSum", {floats({3}, {1e8f, 1, -1e8f})})), (F{1}));
}

TEST(Search, TopKAndArgMin) {
  const Tensor x = floats({4}, {2, 7, 7, 1});
  EXPECT_EQ(values<float>(run_node(11, "TopK", {x, ints({3})})), (F{7, 7, 2}));
  EXPECT_EQ(values<int64_t>(run_node(13, "ArgMin", {x})), (I{3}));
}

TEST(Einsum, BatchedProductAndDiagonal) {
  const Tensor q = floats({1, 2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<float>(run_node(12, "Einsum", {q, q}, {{"equation", "bik,bjk->bij"}})),
            (F{5, 11, 11, 25}));
  EXPECT_EQ(values<float>(run_node(12, "Einsum", {q.reshaped({2, 2})}, {{"equation", "ii->i"}})),
            (F{1, 4}));
}

}  // namespace
}  // namespace fp8q::test
