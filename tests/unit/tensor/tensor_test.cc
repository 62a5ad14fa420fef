#include "tensor/tensor.h"

#include <gtest/gtest.h>

namespace fp8q {
namespace {

TEST(Shape, CountsElementsWithoutOverflow) {
  EXPECT_EQ(checked_elements({}), 1u);
  EXPECT_EQ(checked_elements({2, 3}), 6u);
  EXPECT_EQ(checked_elements({2, 0}), 0u);
  EXPECT_FALSE(checked_elements({-1}));
  EXPECT_FALSE(checked_elements({int64_t{1} << 40, int64_t{1} << 40}));
  EXPECT_FALSE(checked_elements({int64_t{1} << 62, 4, 0})) << "a zero must not hide the overflow";
}

TEST(Shape, BroadcastsAsNumPy) {
  EXPECT_EQ(broadcast({2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast({}, {5}), (Shape{5}));
  EXPECT_EQ(broadcast({0}, {1}), (Shape{0}));
  EXPECT_FALSE(broadcast({2}, {3}));
}

TEST(DType, EveryFormatHasOneForItsCodes) {
  for (const Format format : kEveryFormat) {
    const DType dtype = dtype_of_format(format);
    EXPECT_EQ(format_of(dtype), format);
    EXPECT_EQ(dtype_of_onnx_code(info(format).onnx_type), dtype);
  }
  for (const DType dtype : {DType::f32, DType::u8, DType::bf16}) EXPECT_FALSE(format_of(dtype));
}

TEST(Tensor, CopiesShareUntilWritten) {
  Tensor a = Tensor::of<float>({2}, {1, 2});
  Tensor b = a;
  EXPECT_EQ(a.bytes(), b.bytes());
  b.mutable_data<float>()[0] = 9;
  EXPECT_EQ(a.data<float>()[0], 1);
  EXPECT_EQ(b.data<float>()[0], 9);
}

TEST(Tensor, ViewKeepsItsOwnerAndIsNeverWrittenThrough) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3});
  const float* memory = owner->data();
  Tensor view = Tensor::view(DType::f32, {3}, owner, memory);
  owner.reset();
  EXPECT_EQ(view.data<float>()[2], 3);
  Tensor before = view;
  view.mutable_data<float>()[2] = 7;
  EXPECT_EQ(before.data<float>()[2], 3);
}

TEST(Tensor, ConvertsThroughFloat) {
  const Tensor x = Tensor::of<float>({4}, {1.0f, -2.5f, 1e6f, 0.0f});
  const Tensor fp8 = x.to(DType::e4m3);
  EXPECT_EQ(static_cast<float>(fp8.data<Float8E4M3>()[2]), 448.0f) << "8-bit formats saturate";
  const Tensor half = x.to(DType::f16);
  EXPECT_EQ(half.data<Float16>()[2].bits, 0x7C00) << "halves overflow to infinity";
  EXPECT_EQ(fp8.to(DType::f32).data<float>()[1], -2.5f);
  EXPECT_TRUE(x.to(DType::boolean).data<bool>()[1]);
  EXPECT_FALSE(x.to(DType::boolean).data<bool>()[3]);
}

TEST(Tensor, IdenticalComparesTypeShapeAndBytes) {
  const Tensor a = Tensor::of<float>({2, 1}, {0.0f, 1.0f});
  EXPECT_TRUE(identical(a, Tensor::of<float>({2, 1}, {0.0f, 1.0f})));
  EXPECT_FALSE(identical(a, a.reshaped({1, 2})));
  EXPECT_FALSE(identical(a, Tensor::of<float>({2, 1}, {-0.0f, 1.0f})));
}

}  // namespace
}  // namespace fp8q
