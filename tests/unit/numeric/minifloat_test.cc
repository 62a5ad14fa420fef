// Compares every code and every rounding decision of the floating-point codecs with the slow codec.
#include "numeric/minifloat.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "numeric/types.h"
#include "tests/unit/numeric/slow_codec.h"
#include "tests/unit/numeric/special_values.h"

namespace fp8q::test {
namespace {

template <typename CodecType, int kExponent, int kMantissa, bool kIeee, bool kSaturates>
struct Case {
  using Codec = CodecType;
  static constexpr bool saturates = kSaturates;  // BF16 follows IEEE arithmetic only
  static SlowCodec slow() { return SlowCodec({kExponent, kMantissa, kIeee}); }
};

template <typename T>
class MiniFloatTest : public testing::Test {};
using Cases =
    testing::Types<Case<E4M3Codec, 4, 3, false, true>, Case<E5M2Codec, 5, 2, true, true>,
                   Case<Float16Codec, 5, 10, true, true>, Case<BFloat16Codec, 8, 7, true, false>>;
TYPED_TEST_SUITE(MiniFloatTest, Cases);

TYPED_TEST(MiniFloatTest, DecodeGivesTheValueOfTheDefinition) {
  using Codec = typename TypeParam::Codec;
  const SlowCodec slow = TypeParam::slow();
  for (uint32_t code = 0; code <= slow.format().largest_code(); ++code) {
    EXPECT_EQ(static_cast<double>(Codec::decode(code)), slow.format().value(code)) << code;
    const float negative = Codec::decode(code | slow.format().sign_code());
    EXPECT_EQ(static_cast<double>(negative), -slow.format().value(code)) << code;
    EXPECT_TRUE(std::signbit(negative)) << code;
  }
}

TYPED_TEST(MiniFloatTest, EncodeOfDecodeIsTheSameCode) {
  using Codec = typename TypeParam::Codec;
  const SlowCodec slow = TypeParam::slow();
  for (uint32_t code = 0; code < 2 * slow.format().sign_code(); ++code) {
    const float x = Codec::decode(code);
    if (std::isnan(x)) {
      EXPECT_TRUE(std::isnan(Codec::decode(Codec::encode(x, true)))) << code;
      EXPECT_TRUE(std::isnan(Codec::decode(Codec::encode(x, false)))) << code;
    } else if (std::isinf(x)) {
      EXPECT_EQ(Codec::encode(x, false), code);
    } else {
      EXPECT_EQ(Codec::encode(x, true), code);
      EXPECT_EQ(Codec::encode(x, false), code);
    }
  }
}

template <typename TypeParam>
void expect_as_slow(const SlowCodec& slow, float x) {
  using Codec = typename TypeParam::Codec;
  for (const float y : {x, -x}) {
    EXPECT_EQ(Codec::encode(y, false), slow.encode(y, false)) << std::hexfloat << y;
    if (TypeParam::saturates) {
      EXPECT_EQ(Codec::encode(y, true), slow.encode(y, true)) << std::hexfloat << y;
    }
  }
}

TYPED_TEST(MiniFloatTest, MidpointsAndTheirNeighbors) {
  const SlowCodec slow = TypeParam::slow();
  for (uint32_t code = 0; code <= slow.format().largest_code(); ++code) {
    const auto middle = static_cast<float>(slow.midpoint(code));
    ASSERT_EQ(static_cast<double>(middle), slow.midpoint(code)) << code;
    expect_as_slow<TypeParam>(slow, middle);
    expect_as_slow<TypeParam>(slow, std::nextafter(middle, 0.0f));
    expect_as_slow<TypeParam>(slow, std::nextafter(middle, kInf));
    const uint32_t even = code % 2 == 0 ? code : code + 1;
    EXPECT_EQ(TypeParam::Codec::encode(middle, false), even);
  }
}

TYPED_TEST(MiniFloatTest, ValuesOfAllMagnitudes) {
  const SlowCodec slow = TypeParam::slow();
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const float x = std::bit_cast<float>(static_cast<uint32_t>(random()) & 0x7FFFFFFF);
    if (!std::isnan(x)) expect_as_slow<TypeParam>(slow, x);
  }
}

TYPED_TEST(MiniFloatTest, MonotoneAndSymmetric) {
  using Codec = typename TypeParam::Codec;
  const uint32_t sign = TypeParam::slow().format().sign_code();
  uint32_t previous = 0;
  for (uint32_t bits = 0; bits < 0x7F800000; bits += 0x1357) {
    const float x = std::bit_cast<float>(bits);
    const uint32_t code = Codec::encode(x, true);
    ASSERT_GE(code, previous) << x;
    ASSERT_EQ(Codec::encode(-x, true), code | sign) << x;
    previous = code;
  }
}

TYPED_TEST(MiniFloatTest, ZerosTiniestAndNan) {
  using Codec = typename TypeParam::Codec;
  const uint32_t sign = TypeParam::slow().format().sign_code();
  EXPECT_EQ(Codec::encode(0.0f, true), 0u);
  EXPECT_EQ(Codec::encode(-0.0f, true), sign);
  EXPECT_TRUE(std::signbit(Codec::decode(sign)));
  EXPECT_EQ(Codec::encode(-std::numeric_limits<float>::denorm_min(), true), sign);
  EXPECT_TRUE(std::isnan(Codec::decode(Codec::encode(kNan, true))));
  EXPECT_TRUE(std::isnan(Codec::decode(Codec::encode(-kNan, false))));
  // A NaN whose payload lies in the low bits only must not become Inf.
  const float low = std::bit_cast<float>(0x7F800001u);
  EXPECT_TRUE(std::isnan(Codec::decode(Codec::encode(low, false))));
}

// Converts every half and every BF16 value to the 8-bit formats.
TEST(EightBits, OfAllHalvesAndBFloat16) {
  const SlowCodec e4m3(kSlowE4M3);
  const SlowCodec e5m2(kSlowE5M2);
  for (uint32_t code = 0; code <= 0xFFFF; ++code)
    for (const float x : {Float16Codec::decode(code), BFloat16Codec::decode(code)})
      for (const bool saturate : {false, true}) {
        ASSERT_EQ(E4M3Codec::encode(x, saturate), e4m3.encode(x, saturate)) << x;
        ASSERT_EQ(E5M2Codec::encode(x, saturate), e5m2.encode(x, saturate)) << x;
      }
}

// This is the table of saturate in ONNX's specification of Cast and QuantizeLinear.
TEST(Saturate, E4M3) {
  EXPECT_EQ(E4M3Codec::encode(464.0f, true), 0x7Eu);
  EXPECT_EQ(E4M3Codec::encode(464.0f, false), 0x7Eu);  // ties to 448, the even code
  for (const float x : {std::nextafter(464.0f, kInf), 480.0f, 1e30f, kInf}) {
    EXPECT_EQ(E4M3Codec::encode(x, true), 0x7Eu) << x;
    EXPECT_EQ(E4M3Codec::encode(x, false), 0x7Fu) << x;
    EXPECT_EQ(E4M3Codec::encode(-x, true), 0xFEu) << x;
    EXPECT_EQ(E4M3Codec::encode(-x, false), 0xFFu) << x;
  }
  EXPECT_EQ(E4M3Codec::encode(kNan, true) & 0x7F, 0x7Fu);
  EXPECT_EQ(E4M3Codec::encode(-1e-7f, true), 0x80u);
}

TEST(Saturate, E5M2) {
  EXPECT_EQ(E5M2Codec::encode(std::nextafter(61440.0f, 0.0f), false), 0x7Bu);
  for (const float x : {61440.0f, 1e30f, kInf}) {
    EXPECT_EQ(E5M2Codec::encode(x, true), 0x7Bu) << x;
    EXPECT_EQ(E5M2Codec::encode(x, false), 0x7Cu) << x;
    EXPECT_EQ(E5M2Codec::encode(-x, true), 0xFBu) << x;
    EXPECT_EQ(E5M2Codec::encode(-x, false), 0xFCu) << x;
  }
  EXPECT_EQ(E5M2Codec::encode(kNan, true) & 0x7F, 0x7Fu);
  EXPECT_EQ(E5M2Codec::encode(-1e-7f, true), 0x80u);
}

TEST(Types, HalvesOverflowToInfAndEightBitsSaturate) {
  EXPECT_TRUE(std::isinf(static_cast<float>(Float16(65520.0f))));
  EXPECT_EQ(static_cast<float>(Float16(std::nextafter(65520.0f, 0.0f))), 65504.0f);
  EXPECT_EQ(static_cast<float>(Float8E4M3(1e9f)), 448.0f);
  EXPECT_EQ(static_cast<float>(Float8E5M2(-1e9f)), -57344.0f);
}

// There is one rounding, not two: 1 + 2^-4 + 2^-12 lies just above a midpoint of E4M3, and on it
// after FP16.
TEST(Rounding, NeverThroughHalfPrecision) {
  const float x = 1.0f + std::ldexp(1.0f, -4) + std::ldexp(1.0f, -12);
  EXPECT_EQ(E4M3Codec::encode(x), 0x39u);
  EXPECT_EQ(E4M3Codec::encode(static_cast<float>(Float16(x))), 0x38u);
}

}  // namespace
}  // namespace fp8q::test
