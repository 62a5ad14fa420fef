#include "kernels/cpu/codec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "kernel_testing.h"
#include "kernels/cpu/tiles.h"
#include "numeric/token_scale.h"

namespace fp8q::cpu {
namespace {

// Returns the difficult values: every representable value, every midpoint between neighbors, the
// floats next to both, limits and specials, then random bit patterns.
std::vector<float> hard_values(Format format) {
  std::vector<float> x = {0.0f,   -0.0f,  1e-45f,   -1e-45f,  1e-38f,   448.0f,
                          464.0f, 480.0f, 57344.0f, 61440.0f, 65536.0f, 127.4f,
                          127.5f, 128.5f, -128.5f,  -129.0f,  3e38f};
  for (const float special : {INFINITY, -INFINITY, NAN, -NAN}) x.push_back(special);
  std::vector<float> values;
  for (int code = 0; code < 256; ++code) {
    const float v = decode(format, static_cast<uint8_t>(code));
    if (std::isfinite(v)) values.push_back(v);
  }
  std::sort(values.begin(), values.end());
  for (size_t i = 0; i < values.size(); ++i) {
    const float middle = i + 1 < values.size() ? (values[i] + values[i + 1]) / 2 : values[i];
    for (const float v : {values[i], middle})
      for (const float at : {v, std::nextafter(v, INFINITY), std::nextafter(v, -INFINITY)})
        x.push_back(at);
  }
  std::mt19937 random(7);
  for (int i = 0; i < 200000; ++i)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
  for (const float v : random_floats(20001, 8, 50.0f)) x.push_back(v);
  return x;
}

bool same(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

class CodecTest : public testing::TestWithParam<Format> {};

TEST_P(CodecTest, QuantizesExactlyAsEncode) {
  const auto x = hard_values(GetParam());
  for_each_isa([&](Isa) {
    for (const float scale : {1.0f, 0.0123f, 3.7f}) {
      std::vector<float> values(x.size());
      std::vector<uint16_t> halves(x.size());
      const size_t n = x.size();
      quantize_to_f32({GetParam(), scale, x.data(), n, values.data(), n, 1, n});
      quantize_to_bf16({GetParam(), scale, x.data(), n, halves.data(), n, 1, n});
      for (size_t i = 0; i < n; ++i) {
        const float expected = decode(GetParam(), encode(GetParam(), x[i], scale));
        ASSERT_TRUE(same(values[i], expected)) << x[i] << " / " << scale << ": " << values[i];
        ASSERT_TRUE(same(BFloat16Codec::decode(halves[i]), expected)) << x[i] << " / " << scale;
      }
    }
  });
}

// The rows have odd length, with memory behind them.
TEST_P(CodecTest, PairsAreTheSameTheOtherWayRound) {
  const size_t rows = 3, x_stride = 70, out_stride = 72;
  auto x = random_floats(rows * x_stride, 9);
  x[5] = NAN;
  for_each_isa([&](Isa) {
    for (size_t columns = 1; columns < 68; ++columns) {
      std::vector<uint16_t> ordered(rows * out_stride, 77), pairs = ordered, rounded = ordered;
      QuantizeRows args{GetParam(),     0.05f,      x.data(), x_stride,
                        ordered.data(), out_stride, rows,     columns};
      quantize_to_bf16(args);
      args.out = pairs.data();
      quantize_to_bf16_pairs(args);
      for (size_t r = 0; r < rows; ++r) {
        const float* row = x.data() + r * x_stride;
        round_to_bf16_pairs(row, columns, rounded.data() + r * out_stride);
        for (size_t c = 0; c < out_stride; ++c) {
          const size_t i = r * out_stride + (c ^ 1), whole = columns + columns % 2;
          if (c < columns) {
            ASSERT_EQ(pairs[i], ordered[r * out_stride + c]) << columns << " at " << c;
            ASSERT_EQ(rounded[i], BFloat16Codec::encode(row[c])) << columns << " at " << c;
          } else {
            ASSERT_EQ(pairs[i], c < whole ? 0 : 77) << columns << " at " << c;
            ASSERT_EQ(rounded[i], c < whole ? 0 : 77) << columns << " at " << c;
          }
        }
      }
    }
  });
}

TEST_P(CodecTest, RoundsAndCountsByTheDefinition) {
  const auto x = hard_values(GetParam());
  const size_t n = x.size(), columns = 37, rows = n / columns;  // rows with tails
  for_each_isa([&](Isa) {
    for (const float scale : {1.0f, 0.0123f, 3.7f}) {
      uint64_t saturated = 0, underflowed = 0;
      for (size_t i = 0; i < rows * columns; ++i) {
        saturated += saturates(GetParam(), x[i], scale);
        underflowed += underflows(GetParam(), x[i], scale);
      }
      ASSERT_GT(saturated, 0u);
      ASSERT_GT(underflowed, 0u);
      std::vector<float> values(n);
      std::vector<uint16_t> halves(n);
      for (const RoundingCount count : {quantize_to_f32({GetParam(), scale, x.data(), columns,
                                                         values.data(), columns, rows, columns}),
                                        quantize_to_bf16({GetParam(), scale, x.data(), columns,
                                                          halves.data(), columns, rows, columns}),
                                        round_to_f32({GetParam(), scale, x.data(), columns,
                                                      values.data(), columns, rows, columns})}) {
        EXPECT_EQ(count.saturated, saturated);
        EXPECT_EQ(count.underflowed, underflowed);
      }
      for (size_t i = 0; i < rows * columns; ++i)
        ASSERT_TRUE(same(values[i], decode(GetParam(), encode(GetParam(), x[i], scale)) * scale));
    }
  });
}

// Returns values whose quotients by `scale` are moderate: all that lie next to where the code
// changes, and random ones.
std::vector<float> moderate_values(Format format, float scale) {
  std::vector<float> x;
  for (const float v : hard_values(format)) {
    if (std::isfinite(v) && std::abs(v) < 1e6f && std::abs(v) > 1e-6f) {
      const float near = v * scale;
      for (const float at : {near, std::nextafter(near, INFINITY), std::nextafter(near, -INFINITY)})
        x.push_back(at);
    }
  }
  x.insert(x.end(), {0.0f, -0.0f, 1e-45f, -1e-45f});
  return x;
}

// Without Inf and NaN, division by most scales takes three multiply-adds (quantize_limits.h). It
// must round and count as encode() does nevertheless.
TEST_P(CodecTest, ModerateQuotientsAreExactForAllScales) {
  std::vector<float> scales = {1.0f,    0.0123f, 3.7f,      0x1p-80f,       0x1.8p-81f,
                               0x1p80f, 0x1p81f, 0x1p-100f, 0x1.fffffep-3f, 0x1.fffffcp-3f};
  std::mt19937 random(11);
  std::lognormal_distribution<float> spread(0.0f, 4.0f);
  for (int i = 0; i < 20; ++i) scales.push_back(spread(random));
  for (const float scale : scales) {
    const auto x = moderate_values(GetParam(), scale);
    const size_t n = x.size(), columns = 101, rows = n / columns;
    uint64_t saturated = 0, underflowed = 0;
    for (size_t i = 0; i < rows * columns; ++i) {
      saturated += saturates(GetParam(), x[i], scale);
      underflowed += underflows(GetParam(), x[i], scale);
    }
    for_each_isa([&](Isa) {
      std::vector<float> values(n);
      const RoundingCount count = quantize_to_f32(
          {GetParam(), scale, x.data(), columns, values.data(), columns, rows, columns});
      EXPECT_EQ(count.saturated, saturated) << scale;
      EXPECT_EQ(count.underflowed, underflowed) << scale;
      for (size_t i = 0; i < rows * columns; ++i)
        ASSERT_TRUE(same(values[i], decode(GetParam(), encode(GetParam(), x[i], scale))))
            << x[i] << " / " << scale << ": " << values[i];
      if (!info(GetParam()).integer) return;
      std::vector<uint8_t> bytes(n);
      std::vector<int16_t> shorts(n);
      QuantizeRows args{GetParam(), scale, x.data(), columns, bytes.data(), columns, rows, columns};
      const RoundingCount of_bytes = quantize_to_u8(args);
      args.out = shorts.data();
      const RoundingCount of_shorts = quantize_to_i16(args);
      EXPECT_EQ(of_bytes.underflowed, underflowed);
      EXPECT_EQ(of_shorts.saturated, saturated);
      for (size_t i = 0; i < rows * columns; ++i) {
        ASSERT_EQ(static_cast<float>(bytes[i]) - 128.0f, values[i]) << x[i] << " / " << scale;
        ASSERT_EQ(static_cast<float>(shorts[i]), values[i]) << x[i] << " / " << scale;
      }
    });
  }
}

TEST_P(CodecTest, RowsAndTailsAreIndependent) {
  const size_t rows = 3, columns = 37, x_stride = 50, out_stride = 41;
  const auto x = random_floats(rows * x_stride, 9);
  for_each_isa([&](Isa) {
    std::vector<float> out(rows * out_stride, 77.0f);
    quantize_to_f32({GetParam(), 0.05f, x.data(), x_stride, out.data(), out_stride, rows, columns});
    for (size_t r = 0; r < rows; ++r)
      for (size_t c = 0; c < out_stride; ++c)
        ASSERT_EQ(out[r * out_stride + c],
                  c < columns ? decode(GetParam(), encode(GetParam(), x[r * x_stride + c], 0.05f))
                              : 77.0f);
  });
}

TEST_P(CodecTest, DecodesEveryCode) {
  std::vector<uint8_t> codes(256);
  for (size_t i = 0; i < 256; ++i) codes[i] = static_cast<uint8_t>(i);
  std::vector<float> x(256);
  codes_to_f32(GetParam(), codes.data(), 256, 0.3f, x.data());
  for (size_t i = 0; i < 256; ++i)
    EXPECT_TRUE(same(x[i], decode(GetParam(), codes[i]) * 0.3f)) << i;
}

TEST_P(CodecTest, RowsTakeScalesOfTheirOwn) {
  const size_t rows = 9, columns = 37, stride = 40;
  auto x = random_floats(rows * stride, 12, 3.0f);
  for (size_t r = 0; r < rows; ++r) x[r * stride + columns] = 1e9f;  // not of the row
  std::fill_n(x.begin(), columns, 0.0f);
  x[stride + columns - 1] = -77.0f;  // in the tail
  x[2 * stride + 5] = NAN;
  x[3 * stride] = INFINITY;
  for_each_isa([&](Isa) {
    std::vector<float> values(rows * columns), scales(rows);
    std::vector<uint16_t> halves(rows * columns);
    std::vector<int8_t> bytes(rows * columns);
    QuantizeRows args{.format = GetParam(),
                      .scale = -1.0f,
                      .x = x.data(),
                      .x_stride = stride,
                      .out = values.data(),
                      .out_stride = columns,
                      .rows = rows,
                      .columns = columns,
                      .row_scales = scales.data()};
    quantize_to_f32(args);
    args.out = halves.data();
    quantize_to_bf16(args);
    args.out = bytes.data();
    if (GetParam() == Format::int8) quantize_to_i8(args);
    for (size_t r = 0; r < rows; ++r) {
      float largest = 0;
      for (size_t c = 0; c < columns; ++c)
        if (!(std::fabs(x[r * stride + c]) <= largest)) largest = std::fabs(x[r * stride + c]);
      if (r == 2) largest = NAN;
      const float scale = token_scale(GetParam(), largest);
      ASSERT_TRUE(same(scales[r], scale)) << r;
      for (size_t c = 0; c < columns; ++c) {
        const size_t i = r * columns + c;
        const uint8_t code = encode(GetParam(), x[r * stride + c], scale);
        ASSERT_TRUE(same(values[i], decode(GetParam(), code))) << r << ", " << c;
        ASSERT_TRUE(same(BFloat16Codec::decode(halves[i]), decode(GetParam(), code)));
        if (GetParam() == Format::int8) {
          ASSERT_EQ(static_cast<uint8_t>(bytes[i]), code);
        }
      }
    }
  });
}

// The result is that of products given directly, also if their absmax decides.
TEST_P(CodecTest, FactorsMultiplyFirst) {
  const size_t rows = 5, columns = 37, stride = 40;
  const auto x = random_floats(rows * stride, 13, 3.0f);
  const float powers[] = {0.125f, 1.0f, 64.0f};
  std::vector<float> factors(columns), products(rows * columns);
  for (size_t c = 0; c < columns; ++c) factors[c] = powers[c % 3];
  for (size_t i = 0; i < products.size(); ++i)
    products[i] = x[i / columns * stride + i % columns] * factors[i % columns];
  for_each_isa([&](Isa) {
    for (const bool per_row : {false, true}) {
      std::vector<float> values(rows * columns), expected(rows * columns);
      std::vector<float> scales(rows), expected_scales(rows);
      QuantizeRows args{.format = GetParam(),
                        .scale = 0.05f,
                        .x = products.data(),
                        .x_stride = columns,
                        .out = expected.data(),
                        .out_stride = columns,
                        .rows = rows,
                        .columns = columns,
                        .row_scales = per_row ? expected_scales.data() : nullptr};
      const RoundingCount wanted = quantize_to_f32(args);
      args.x = x.data();
      args.x_stride = stride;
      args.factors = factors.data();
      args.out = values.data();
      if (per_row) args.row_scales = scales.data();
      const RoundingCount count = quantize_to_f32(args);
      EXPECT_EQ(values, expected);
      EXPECT_EQ(scales, expected_scales);
      EXPECT_EQ(count.saturated, wanted.saturated);
      EXPECT_EQ(count.underflowed, wanted.underflowed);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Formats, CodecTest, testing::ValuesIn(kEveryFormat),
                         [](const auto& p) { return std::string(fp8q::info(p.param).name); });

TEST(Codec, Int8Codes) {
  const auto x = hard_values(Format::int8);
  for_each_isa([&](Isa) {
    std::vector<int8_t> codes(x.size());
    std::vector<uint8_t> shifted(x.size());
    quantize_to_i8({Format::int8, 0.7f, x.data(), x.size(), codes.data(), x.size(), 1, x.size()});
    quantize_to_u8({Format::int8, 0.7f, x.data(), x.size(), shifted.data(), x.size(), 1, x.size()});
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(static_cast<uint8_t>(codes[i]), encode(Format::int8, x[i], 0.7f)) << x[i];
      ASSERT_EQ(shifted[i], codes[i] + 128) << x[i];
    }
  });
}

// This is the largest float below a half. Adding a half to it gives 1.
TEST(Codec, Int8RoundsJustBelowAHalfToZero) {
  const std::vector<float> x = {0.49999997f, -0.49999997f, 0.5f, -0.5f, 0.50000006f, 1.5f, -2.5f};
  const std::vector<float> expected = {0, 0, 0, 0, 1, 2, -2};
  size_t levels = 0;
  for_each_isa([&](Isa level) {
    ASSERT_EQ(isa(), level);
    levels += level == Isa::scalar;
    const size_t n = x.size();
    std::vector<float> values(n);
    std::vector<int8_t> codes(n);
    quantize_to_f32({Format::int8, 1.0f, x.data(), n, values.data(), n, 1, n});
    quantize_to_i8({Format::int8, 1.0f, x.data(), n, codes.data(), n, 1, n});
    for (size_t i = 0; i < n; ++i) {
      EXPECT_TRUE(same(values[i], expected[i])) << x[i];
      EXPECT_EQ(static_cast<float>(codes[i]), expected[i]) << x[i];
    }
  });
  EXPECT_EQ(levels, 1u) << "plain C is one of the levels";
}

// A part may begin at any 16 columns, also if it goes on in the next tile.
TEST(Codec, PartsOfTilesStayInTheirPlaces) {
  constexpr size_t kStride = 192, kRow = 3;
  const std::vector<float> x = random_floats(kStride, 31, 40.0f);
  for_each_isa([&](Isa) {
    for (size_t from = 0; from < kStride; from += 16)
      for (size_t to = from + 16; to <= kStride; to += 16) {
        std::vector<int8_t> tiles(kTileRows * kStride, 99);
        quantize_to_i8_tiles({.format = Format::int8,
                              .scale = 1.0f,
                              .x = x.data() + from,
                              .x_stride = kStride,
                              .out = tiles.data(),
                              .out_stride = kStride,
                              .rows = 1,
                              .columns = to - from,
                              .first_row = kRow,
                              .first_column = from});
        std::vector<int8_t> expected(tiles.size(), 99);
        for (size_t c = from; c < to; ++c)
          expected[place_in_tiles<int8_t>(kRow, c, kStride)] =
              static_cast<int8_t>(encode(Format::int8, x[c], 1.0f));
        ASSERT_EQ(tiles, expected) << from << " to " << to;
      }
  });
}

TEST(Codec, RoundsToBf16) {
  const auto x = hard_values(Format::e5m2);
  for_each_isa([&](Isa) {
    std::vector<uint16_t> halves(x.size());
    std::vector<float> values(x.size());
    round_to_bf16(x.data(), x.size(), halves.data());
    round_to_bf16_values(x.data(), x.size(), values.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const uint32_t expected = BFloat16Codec::encode(x[i]);
      ASSERT_EQ(halves[i], expected) << x[i];
      ASSERT_TRUE(same(values[i], BFloat16Codec::decode(expected))) << x[i];
    }
  });
}

TEST(Codec, WidensFp16) {
  std::vector<uint16_t> x(65536);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint16_t>(i);
  for_each_isa([&](Isa) {
    std::vector<float> out(x.size());
    f16_to_f32(x.data(), x.size() - 3, out.data());
    for (size_t i = 0; i + 3 < x.size(); ++i)
      ASSERT_TRUE(same(out[i], Float16Codec::decode(x[i]))) << i;
  });
}

}  // namespace
}  // namespace fp8q::cpu
