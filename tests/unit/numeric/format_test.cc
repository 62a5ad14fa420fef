// Tests the quantization formats: division, saturation, and which code a range's absmax takes.
#include "numeric/format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "numeric/codecs.h"
#include "tests/unit/numeric/special_values.h"

namespace fp8q::test {
namespace {

uint8_t largest_code(Format format) { return encode(format, kInf, 1.0f); }

TEST(Formats, RowsAreConsistent) {
  EXPECT_EQ(largest_code(Format::e4m3), 0x7E);
  EXPECT_EQ(largest_code(Format::e5m2), 0x7B);
  EXPECT_EQ(largest_code(Format::int8), 127);
  ASSERT_EQ(all_formats().size(), std::size(kEveryFormat));
  for (const FormatInfo& f : all_formats()) {
    EXPECT_EQ(&info(f.id), &f);
    EXPECT_EQ(format_named(f.name), f.id);
    EXPECT_EQ(format_of_onnx_type(f.onnx_type), f.id);
    EXPECT_EQ(decode(f.id, largest_code(f.id)), f.largest);
    EXPECT_EQ(decode(f.id, 1), f.step);
    with_format(f.id, [&]<Format kFormat>() { EXPECT_EQ(kFormat, f.id); });
  }
  EXPECT_EQ(format_named("e4m3fn"), std::nullopt);
  EXPECT_EQ(format_of_onnx_type(2), std::nullopt);
}

// If a device cannot read the codes, products of codes are formed on their values in BF16 or FP16.
TEST(Formats, CodesAreValuesOfBothKindsOfHalves) {
  for (const Format format : kEveryFormat)
    for (int code = 0; code < 256; ++code) {
      const float value = decode(format, static_cast<uint8_t>(code));
      if (!std::isfinite(value)) continue;
      EXPECT_EQ(BFloat16Codec::decode(BFloat16Codec::encode(value)), value) << info(format).name;
      EXPECT_EQ(Float16Codec::decode(Float16Codec::encode(value)), value) << info(format).name;
    }
}

TEST(Formats, Int8RoundsHalfToEvenAndClips) {
  for (int code = -128; code <= 127; ++code) {
    const auto byte = static_cast<uint8_t>(code);
    EXPECT_EQ(decode(Format::int8, byte), static_cast<float>(code));
    EXPECT_EQ(encode(Format::int8, static_cast<float>(code), 1.0f), byte);
    const float middle = static_cast<float>(code) + 0.5f;
    const int even = code % 2 == 0 ? code : code + 1;
    const auto clipped = [](int c) { return static_cast<uint8_t>(std::min(c, 127)); };
    EXPECT_EQ(encode(Format::int8, middle, 1.0f), clipped(even)) << middle;
    EXPECT_EQ(encode(Format::int8, std::nextafter(middle, -kInf), 1.0f), byte) << middle;
    EXPECT_EQ(encode(Format::int8, std::nextafter(middle, kInf), 1.0f), clipped(code + 1));
  }
  EXPECT_EQ(encode(Format::int8, -128.5f, 1.0f), 0x80);
  EXPECT_EQ(encode(Format::int8, kInf, 1.0f), 127);
  EXPECT_EQ(encode(Format::int8, -kInf, 1.0f), 0x80);
  EXPECT_EQ(encode(Format::int8, kNan, 1.0f), 0);
}

// x * (1 / s) and x / s differ near rounding midpoints.
TEST(Formats, EncodeDivides) {
  int differ = 0;
  for (const float scale : {0.0123f, 0.37f, 1.0f / 3.0f})
    for (int code = 0; code < 0x7E; ++code) {
      const float middle = (decode(Format::e4m3, static_cast<uint8_t>(code)) +
                            decode(Format::e4m3, static_cast<uint8_t>(code + 1))) /
                           2;
      for (const float x : {middle * scale, std::nextafter(middle * scale, kInf)}) {
        EXPECT_EQ(encode(Format::e4m3, x, scale), E4M3Codec::encode(x / scale));
        differ += E4M3Codec::encode(x * (1.0f / scale)) != E4M3Codec::encode(x / scale);
      }
    }
  EXPECT_GT(differ, 0) << "the test does not tell a division from a product";
}

TEST(Formats, SaturationBeginsHalfAStepBeyondTheLargest) {
  const auto limits = [](Format format, float highest, float lowest) {
    for (const float scale : {1.0f, 0.25f}) {
      EXPECT_FALSE(saturates(format, highest * scale, scale));
      EXPECT_TRUE(saturates(format, std::nextafter(highest, INFINITY) * scale, scale));
      EXPECT_FALSE(saturates(format, lowest * scale, scale));
      EXPECT_TRUE(saturates(format, std::nextafter(lowest, -INFINITY) * scale, scale));
    }
    EXPECT_TRUE(saturates(format, INFINITY, 1.0f));
    EXPECT_TRUE(saturates(format, -INFINITY, 1.0f));
    EXPECT_FALSE(saturates(format, NAN, 1.0f));
  };
  limits(Format::e4m3, 464.0f, -464.0f);
  limits(Format::e5m2, 61440.0f, -61440.0f);
  limits(Format::int8, 127.5f, -128.5f);
}

TEST(Formats, UnderflowEndsHalfAStepFromZero) {
  for (const FormatInfo& format : all_formats()) {
    const float half = format.step / 2;  // ties to zero, whose code is even
    EXPECT_TRUE(underflows(format.id, half * 2.0f, 2.0f));
    EXPECT_TRUE(underflows(format.id, -half, 1.0f));
    EXPECT_FALSE(underflows(format.id, std::nextafter(half, 1e9f), 1.0f));
    EXPECT_FALSE(underflows(format.id, 0.0f, 1.0f));
    EXPECT_FALSE(underflows(format.id, -0.0f, 1.0f));
    EXPECT_FALSE(underflows(format.id, NAN, 1.0f));
  }
}

TEST(Formats, SpansDoAsSingleValues) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0.0f, 100.0f);
  std::vector<float> x(1000);
  for (float& v : x) v = normal(random);
  for (const FormatInfo& f : all_formats()) {
    std::vector<uint8_t> codes(x.size());
    std::vector<float> back(x.size());
    encode(f.id, x, 0.37f, codes);
    decode(f.id, codes, 0.37f, back);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(codes[i], encode(f.id, x[i], 0.37f));
      EXPECT_EQ(back[i], decode(f.id, codes[i]) * 0.37f);
    }
    std::vector<float> scales(x.size());
    for (float& scale : scales) scale = std::fabs(normal(random)) + 0.01f;
    encode(f.id, x, scales, codes);
    decode(f.id, codes, scales, back);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(codes[i], encode(f.id, x[i], scales[i]));
      EXPECT_EQ(back[i], decode(f.id, codes[i]) * scales[i]);
    }
  }
}

TEST(ScaleFor, Values) {
  EXPECT_EQ(scale_for(Format::e4m3, 448.0f), 1.0f);
  // The scales are 1 / 7 and 1 / 127 in binary, with twelve digits.
  EXPECT_EQ(scale_for(Format::e4m3, 1.0f), 0x1.248p-9f);
  EXPECT_EQ(scale_for(Format::e5m2, 1.0f), 0x1.248p-16f);
  EXPECT_EQ(scale_for(Format::int8, 1.0f), 0x1.020p-7f);
  for (const FormatInfo& f : all_formats()) {
    EXPECT_EQ(scale_for(f.id, 0.0f), 1.0f);
    EXPECT_EQ(scale_for(f.id, 1e-44f), std::numeric_limits<float>::min());
    const float limit = scale_for(f.id, std::numeric_limits<float>::max());
    EXPECT_GT(limit, std::numeric_limits<float>::max() / f.largest * 0.999f);
    EXPECT_TRUE(std::isfinite(limit * f.largest));
  }
}

// DequantizeLinear computes these products, and engines form them once per sum.
TEST(ScaleFor, ProductsWithCodesAndOtherScalesAreExact) {
  std::mt19937 random(4);
  std::uniform_real_distribution<float> absmax(1.0f, 2.0f);
  for (const FormatInfo& f : all_formats())
    for (int i = 0; i < 1000; ++i) {
      const float scale = scale_for(f.id, absmax(random));
      const float other = scale_for(f.id, absmax(random));
      ASSERT_EQ(double{scale * other}, double{scale} * double{other});
      for (int code = 0; code <= largest_code(f.id); ++code) {
        const float value = decode(f.id, static_cast<uint8_t>(code));
        ASSERT_EQ(double{value * scale}, double{value} * double{scale}) << f.name << " " << code;
      }
    }
}

// The scale is cut and the quotient rounded, yet absmax takes the largest code: the quotient is at
// most largest * (1 + 2^-11) and the largest code begins at 432, 53248 or 126.5. The test tries all
// mantissas, then all exponents whose scale is normal.
TEST(ScaleFor, AbsmaxTakesTheLargestCode) {
  for (const FormatInfo& f : all_formats()) {
    const uint8_t code = largest_code(f.id);
    const auto check = [&](uint32_t bits) {
      const float absmax = std::bit_cast<float>(bits);
      const float scale = scale_for(f.id, absmax);
      return encode(f.id, absmax, scale) == code &&
             (f.integer || encode(f.id, -absmax, scale) == (code | 0x80));
    };
    for (uint32_t mantissa = 0; mantissa < 1u << 23; ++mantissa)
      ASSERT_TRUE(check(0x3F800000 | mantissa)) << f.name << " " << mantissa;
    const auto first = std::bit_cast<uint32_t>(f.largest * std::numeric_limits<float>::min());
    for (uint32_t bits = first; bits < 0x7F800000; bits += 1009)
      ASSERT_TRUE(check(bits)) << f.name << " " << std::bit_cast<float>(bits);
    EXPECT_TRUE(check(first) && check(0x7F7FFFFF));
  }
  EXPECT_EQ(encode(Format::int8, -5.0f, scale_for(Format::int8, 5.0f)), 0x81);
}

}  // namespace
}  // namespace fp8q::test
