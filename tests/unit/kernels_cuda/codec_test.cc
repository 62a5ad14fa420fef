// Compares the rounding that GPU kernels do with numeric/format.h, by running the same functions on
// the host.

#include "kernels/cuda/codec.cuh"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "tests/unit/kernels_cuda/device.h"

namespace fp8q::test {
namespace {

uint8_t encoded(Format format, float x) {
  uint32_t codes = 0;
  cuda::with_format(format, [&]<Format F>() { codes = cuda::encode_pair<F>(x, -x); });
  return static_cast<uint8_t>(codes);
}

bool same_code(Format format, float x) {
  const uint8_t expected = encode(format, x, 1.0f);
  // NaN keeps no sign.
  if (std::isnan(x) && format != Format::int8)
    return (encoded(format, x) & 0x7F) == (expected & 0x7F);
  return encoded(format, x) == expected;
}

TEST(CudaCodec, EncodesEveryHalfAndBfloatLikeTheCpu) {
  for (const Format format : kEveryFormat) {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      ASSERT_TRUE(same_code(format, BFloat16Codec::decode(bits))) << bits;
      ASSERT_TRUE(same_code(format, Float16Codec::decode(bits))) << bits;
    }
  }
}

TEST(CudaCodec, RoundsMidpointsAndTheirNeighborsLikeTheCpu) {
  for (const Format format : kEveryFormat) {
    for (int code = 0; code < 255; ++code) {
      const float a = decode(format, static_cast<uint8_t>(code));
      const float b = decode(format, static_cast<uint8_t>(code + 1));
      if (!std::isfinite(a) || !std::isfinite(b)) continue;
      const float middle = (a + b) / 2;
      for (const float x :
           {middle, std::nextafterf(middle, 1e30f), std::nextafterf(middle, -1e30f)})
        ASSERT_TRUE(same_code(format, x)) << info(format).name << " " << x;
    }
  }
}

TEST(CudaCodec, DecodesEveryCodeExactly) {
  for (const Format format : kEveryFormat) {
    for (uint32_t code = 0; code < 256; ++code) {
      cuda::with_format(format, [&]<Format F>() {
        const float2 pair = __half22float2(cuda::decode_pair<F>(code | 0x100));
        const float expected = decode(format, static_cast<uint8_t>(code));
        if (std::isnan(expected)) ASSERT_TRUE(std::isnan(pair.x)) << code;
        else ASSERT_EQ(pair.x, expected) << info(format).name << " " << code;
        ASSERT_EQ(pair.y, decode(format, 1));
      });
    }
  }
}

TEST(CudaCodec, DividesLikeADivision) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> exponent(-30, 30), significand(1, 2);
  size_t different = 0, codes = 0;
  constexpr size_t kPairs = 2'000'000;
  for (size_t i = 0; i < kPairs; ++i) {
    const float scale = std::ldexp(significand(random), static_cast<int>(exponent(random)));
    const float x = std::ldexp(significand(random), static_cast<int>(exponent(random)));
    const float quotient = cuda::divide(x, scale, 1.0f / scale);
    different += quotient != x / scale;
    codes += encode(Format::e4m3, quotient, 1.0f) != encode(Format::e4m3, x, scale);
  }
  EXPECT_EQ(different, 0u);
  EXPECT_EQ(codes, 0u);
  EXPECT_EQ(cuda::divide(0.0f, 0.5f, 2.0f), 0.0f);
  EXPECT_TRUE(std::signbit(cuda::divide(-0.0f, 0.5f, 2.0f)));
  EXPECT_EQ(cuda::divide(3e38f, 1e-10f, 1e10f), HUGE_VALF);
  EXPECT_TRUE(std::isnan(cuda::divide(NAN, 1.0f, 1.0f)));
}

TEST(CudaCodec, StoresAnOperandInEachOfItsForms) {
  const cuda::Vector x = {0.1f, -3, 7.7f, 1e9f, -1e9f, 0, 0.013f, 2};
  for (const Format format : kEveryFormat) {
    alignas(16) uint8_t codes[8];
    alignas(16) uint16_t values[8];
    for (int i = 0; i < 8; ++i) codes[i] = encode(format, x[i], 0.25f);
    cuda::store_operand(x, 0, 0,
                        {values, cuda::prepared({format, 0.25f, cuda::OperandType::bf16})});
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(bf16_value(values[i]), decode(format, codes[i])) << "codes are exact in BF16";
      EXPECT_EQ(cuda::rounded(x[i], {format, 0.25f}), decode(format, codes[i]));
    }
    const auto own = cuda::operand_type(format);
    if (!own) continue;
    alignas(16) uint8_t stored[8];
    cuda::store_operand(x, 0, 0, {stored, cuda::prepared({format, 0.25f, *own})});
    for (int i = 0; i < 8; ++i) EXPECT_EQ(stored[i], codes[i]);
  }
  alignas(16) uint16_t plain[8];
  cuda::store_operand(x, 0, 0, {plain, {}});
  for (int i = 0; i < 8; ++i) EXPECT_EQ(plain[i], BFloat16Codec::encode(x[i]));
}

TEST(CudaCodec, OperandsOfCodesHaveTheFormatThatAsksForThem) {
  size_t of_codes = 0;
  for (const Format format : kEveryFormat)
    if (const auto type = cuda::operand_type(format)) {
      EXPECT_EQ(cuda::format_of(*type), format);
      ++of_codes;
    }
  EXPECT_EQ(of_codes, std::size(cuda::kOperandTypes) - 1) << "all but BF16";
}

TEST(CudaCodec, FindsTheScaleOfARowLikeTheCpu) {
  for (const Format format : kEveryFormat) {
    cuda::Rounding r = cuda::prepared({.format = format, .per_token = true});
    for (const float absmax : {0.0f, 1e-45f, 1e-37f, 0.3f, 5.0f, 3e38f, INFINITY}) {
      cuda::scale_for_row(absmax, r);
      EXPECT_EQ(r.scale, token_scale(format, absmax)) << absmax;
      EXPECT_EQ(r.inverse, 1.0f / r.scale);
    }
    cuda::scale_for_row(NAN, r);
    EXPECT_TRUE(std::isnan(r.scale));
  }
  const cuda::Vector x = {0.1f, -3, 2.7f, 0, -0.0f, 1, 0.5f, 2};
  alignas(16) const float factors[16] = {0, 0, 0, 0, 0, 0, 0, 0, 100, 1, -2, 1, 1, 1, 1, 1};
  EXPECT_EQ(cuda::absmax(x, 8, {}), 3);
  EXPECT_EQ(cuda::absmax(x, 8, {.factors = factors}), 10);
  for (int i = 0; i < 8; ++i) {
    cuda::Vector with_nan = {1, 2, 3, 4, 5, 6, 7, INFINITY};
    with_nan[i] = NAN;
    EXPECT_TRUE(std::isnan(cuda::absmax(with_nan, 0, {}))) << i;
  }
}

TEST(CudaCodec, ActivationFunctions) {
  for (float x = -6; x < 6; x += 0.037f) {
    const double d = x;
    EXPECT_NEAR(cuda::apply<cuda::Function::gelu_erf>(x),
                0.5 * d * (1 + std::erf(d / std::sqrt(2.0))), 4e-7 * (1 + std::fabs(d)));
    const double inner = std::sqrt(2 / M_PI) * (d + 0.044715 * d * d * d);
    EXPECT_NEAR(cuda::apply<cuda::Function::gelu_tanh>(x), 0.5 * d * (1 + std::tanh(inner)),
                4e-7 * (1 + std::fabs(d)));
    EXPECT_EQ(cuda::apply<cuda::Function::relu>(x), std::max(x, 0.0f));
    EXPECT_NEAR(cuda::apply<cuda::Function::tanh>(x), std::tanh(d), 2e-7);
  }
}

TEST(CudaCodec, FastPowersAndTanh) {
  for (float x = -125.9f; x < 127; x += 0.0931f)
    EXPECT_NEAR(cuda::fast_exp2(x) / std::exp2(double{x}), 1, std::ldexp(1, -22)) << x;
  EXPECT_EQ(cuda::fast_exp2(-INFINITY), 0);
  EXPECT_EQ(cuda::fast_exp2(-140), 0) << "no subnormal results, as on a GPU";
  for (float x = -60; x < 60; x += 0.0137f)
    EXPECT_NEAR(cuda::fast_tanh(x), std::tanh(double{x}), 3e-7) << x;
  for (const float x : {1e30f, INFINITY}) {
    EXPECT_EQ(cuda::fast_tanh(x), 1);
    EXPECT_EQ(cuda::fast_tanh(-x), -1);
  }
}

}  // namespace
}  // namespace fp8q::test
