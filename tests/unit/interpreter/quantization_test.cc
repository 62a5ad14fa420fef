#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fp8q/error.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using ::testing::ElementsAre;

std::vector<int> codes(const Tensor& t) {
  std::vector<int> result;
  for (int64_t i = 0; i < t.size(); ++i) result.push_back(static_cast<uint8_t>(t.bytes()[i]));
  return result;
}

Tensor zero_point(DType dtype) { return Tensor(dtype, {}); }

TEST(QuantizeLinear, RoundsTiesToEven) {
  const Tensor x = floats({6}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 300});
  const Tensor one = Tensor::scalar(1.0f);
  EXPECT_THAT(codes(run_node(13, "QuantizeLinear", {x, one, zero_point(DType::i8)})),
              ElementsAre(0, 2, 2, 0, 0xFE, 0x7F));
  EXPECT_THAT(codes(run_node(13, "QuantizeLinear", {x, one})), ElementsAre(0, 2, 2, 0, 0, 255));
  // Between 16 and 18 of E4M3, the midpoint 17 goes to the even mantissa. 19 goes to 20.
  EXPECT_THAT(codes(run_node(19, "QuantizeLinear",
                             {floats({4}, {17, 19, -17, 1e9f}), one, zero_point(DType::e4m3)})),
              ElementsAre(0x58, 0x5A, 0xD8, 0x7E));
}

TEST(QuantizeLinear, SaturatesOnlyWhereAsked) {
  const Tensor x = floats({3}, {1e9f, -INFINITY, NAN});
  const Tensor one = Tensor::scalar(1.0f);
  EXPECT_THAT(codes(run_node(19, "QuantizeLinear", {x, one, zero_point(DType::e5m2)})),
              ElementsAre(0x7B, 0xFB, 0x7F));
  EXPECT_THAT(codes(run_node(19, "QuantizeLinear", {x, one, zero_point(DType::e5m2)},
                             {{"saturate", int64_t{0}}})),
              ElementsAre(0x7C, 0xFC, 0x7F));
  EXPECT_THAT(codes(run_node(19, "QuantizeLinear", {x, one, zero_point(DType::e4m3)},
                             {{"saturate", int64_t{0}}})),
              ElementsAre(0x7F, 0xFF, 0x7F));
}

// Multiplying by the reciprocal would round some quotients next to a midpoint the other way.
TEST(QuantizeLinear, DividesInFloat) {
  const float scale = 0.0123f;
  F x;
  for (uint32_t code = 1; code < E4M3Codec::kMaxCode; ++code) {
    const float middle = (E4M3Codec::decode(code) + E4M3Codec::decode(code + 1)) / 2 * scale;
    x.insert(x.end(), {std::nextafter(middle, 0.0f), middle, std::nextafter(middle, 1e9f)});
  }
  const Tensor y = run_node(19, "QuantizeLinear",
                            {floats({static_cast<int64_t>(x.size())}, x), Tensor::scalar(scale),
                             zero_point(DType::e4m3)});
  int differences = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(codes(y)[i], static_cast<int>(E4M3Codec::encode(x[i] / scale)));
    differences += codes(y)[i] != static_cast<int>(E4M3Codec::encode(x[i] * (1.0f / scale)));
  }
  EXPECT_GT(differences, 0);
}

TEST(QuantizeLinear, ChecksItsTypesAndShapes) {
  const Tensor x = floats({2, 2}, {1, 2, 3, 4});
  const Tensor two = floats({2}, {1, 1});
  EXPECT_THROW(run_node(19, "QuantizeLinear", {x, two, zero_point(DType::i8)}), Error);
  EXPECT_THROW(run_node(21, "QuantizeLinear", {x, floats({3}, {1, 1, 1})}), Error);
  EXPECT_THROW(run_node(21, "QuantizeLinear", {x, two, Tensor(DType::i8, {2})},
                        {{"output_dtype", int64_t{17}}}),
               Error);
  EXPECT_EQ(run_node(21, "QuantizeLinear", {x, two}, {{"output_dtype", int64_t{17}}}).dtype(),
            DType::e4m3);
}

TEST(DequantizeLinear, ScalesPerTensorAxisAndBlock) {
  const Tensor q = Tensor::of<int8_t>({2, 4}, {1, 2, 3, 4, -1, -2, -3, -4});
  EXPECT_EQ(values<float>(run_node(13, "DequantizeLinear", {q, floats({2}, {1, 10})},
                                   {{"axis", int64_t{0}}})),
            (F{1, 2, 3, 4, -10, -20, -30, -40}));
  EXPECT_EQ(values<float>(run_node(21, "DequantizeLinear", {q, floats({2, 2}, {1, 2, 3, 4})},
                                   {{"axis", int64_t{1}}, {"block_size", int64_t{2}}})),
            (F{1, 2, 6, 8, -3, -6, -12, -16}));
  EXPECT_EQ(values<float>(run_node(21, "DequantizeLinear", {q, floats({1, 4}, {1, 2, 3, 4})},
                                   {{"axis", int64_t{0}}, {"block_size", int64_t{2}}})),
            (F{1, 4, 9, 16, -1, -4, -9, -16}));
}

TEST(DequantizeLinear, HasTheTypeOfTheScaleOrTheAttribute) {
  const Tensor q = Tensor::of<Float8E4M3>({1}, {Float8E4M3(1.5f)});
  const Tensor scale = Tensor::of<Float16>({}, {Float16(2.0f)});
  EXPECT_EQ(run_node(19, "DequantizeLinear", {q, scale}).dtype(), DType::f16);
  const Tensor y = run_node(23, "DequantizeLinear", {q, scale}, {{"output_dtype", int64_t{1}}});
  EXPECT_EQ(values<float>(y), (F{3}));
}

// Every code survives dequantize, quantize.
TEST(QuantizeLinear, UndoesDequantizeLinear) {
  for (const DType dtype : {DType::e4m3, DType::e5m2, DType::i8, DType::u8}) {
    Tensor q(dtype, {256});
    for (size_t i = 0; i < 256; ++i) q.mutable_bytes()[i] = static_cast<std::byte>(i);
    const Tensor scale = Tensor::scalar(0.37f);
    const Tensor x = run_node(19, "DequantizeLinear", {q, scale, zero_point(dtype)});
    const Tensor back =
        run_node(19, "QuantizeLinear", {x, scale, zero_point(dtype)}, {{"saturate", int64_t{0}}});
    for (int64_t i = 0; i < 256; ++i) {
      if (std::isnan(x.data<float>()[i])) continue;  // E4M3 and E5M2 have several NaNs
      EXPECT_EQ(codes(back)[i], i) << name(dtype);
    }
  }
}

TEST(DynamicQuantizeLinear, OfZerosIsZero) {
  EXPECT_THAT(codes(run_node(11, "DynamicQuantizeLinear", {floats({2}, {0, 0})})),
              ElementsAre(0, 0));
}

}  // namespace
}  // namespace fp8q::test
