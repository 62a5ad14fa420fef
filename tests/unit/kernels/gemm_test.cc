#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <cmath>

#include "kernel_testing.h"
#include "kernels/cpu/codec.h"

namespace fp8q::cpu {
namespace {

struct FloatData {
  explicit FloatData(const Problem& p)
      : a(random_floats(p.m * p.k, 1)),
        b(random_floats(p.k * p.n, 2)),
        scale(panels(p.n) * kPanel, 0.0f),
        bias(panels(p.n) * kPanel, 0.0f),
        packed_b(packed(b, p.k, p.n)) {
    const auto s = random_floats(p.n, 3), t = random_floats(p.n, 4);
    std::copy(s.begin(), s.end(), scale.begin());
    std::copy(t.begin(), t.end(), bias.begin());
  }
  std::vector<float> a, b, scale, bias, packed_b;
};

std::vector<float> product(const Problem& p, const FloatData& d, bool epilogue) {
  std::vector<float> c(p.m * p.n, NAN);
  gemm_f32({.a = d.a.data(),
            .lda = p.k,
            .b = d.packed_b.data(),
            .panel_stride = p.k * kPanel,
            .c = c.data(),
            .ldc = p.n,
            .scale = epilogue ? d.scale.data() : nullptr,
            .bias = epilogue ? d.bias.data() : nullptr,
            .m = p.m,
            .n = p.n,
            .k = p.k});
  return c;
}

// In sums of K products, each step is rounded: |error| <= (K + 2) 2^-24 sum |a b|. The epilogue
// adds two roundings of its own.
void check_bound(const Problem& p, const FloatData& d, const std::vector<float>& c, bool epilogue) {
  const double epsilon = std::ldexp(1.0, -24);
  for (size_t i = 0; i < p.m; ++i) {
    for (size_t j = 0; j < p.n; ++j) {
      double sum = 0, absolute = 0;
      for (size_t k = 0; k < p.k; ++k) {
        const double product = static_cast<double>(d.a[i * p.k + k]) * d.b[k * p.n + j];
        sum += product;
        absolute += std::abs(product);
      }
      double bound = static_cast<double>(p.k + 2) * epsilon * absolute;
      if (epilogue) {
        bound = bound * std::abs(d.scale[j]) +
                2 * epsilon * (std::abs(sum * d.scale[j]) + std::abs(d.bias[j]));
        sum = sum * d.scale[j] + d.bias[j];
      }
      ASSERT_LE(std::abs(c[i * p.n + j] - sum), bound + 1e-37)
          << "m " << p.m << " n " << p.n << " k " << p.k << " at " << i << ", " << j;
    }
  }
}

TEST(GemmF32, MatchesDoubleWithinTheDerivedBound) {
  for_each_isa([](Isa) {
    for (const size_t m : {1, 5, 6, 7, 13, 64})
      for (const size_t n : {1, 15, 16, 17, 33, 63, 64, 100})
        for (const size_t k : {1, 3, 32, 384, 385, 1000}) {
          const Problem p{m, n, k};
          const FloatData d(p);
          check_bound(p, d, product(p, d, false), false);
          if (k < 400) check_bound(p, d, product(p, d, true), true);
        }
    const Problem large{25, 384, 3072};
    const FloatData d(large);
    check_bound(large, d, product(large, d, true), true);
  });
}

TEST(GemmF32, IsOneFmaChainPerElementOnEveryIsaWithFma) {
  for (const Problem p : {Problem{7, 33, 1000}, Problem{13, 384, 768}, Problem{1, 2, 3072}}) {
    const FloatData d(p);
    std::vector<float> expected(p.m * p.n);
    for (size_t i = 0; i < p.m; ++i)
      for (size_t j = 0; j < p.n; ++j) {
        float sum = 0;
        for (size_t k = 0; k < p.k; ++k) sum = std::fma(d.a[i * p.k + k], d.b[k * p.n + j], sum);
        expected[i * p.n + j] = sum;
      }
    for_each_isa([&](Isa isa) {
      if (isa == Isa::scalar) return;  // has no fma
      EXPECT_EQ(product(p, d, false), expected);
    });
  }
}

// Forms a product by parts of some rows and 48 columns. Its c must be that of `run` on the whole.
template <typename A, typename B, class Run>
void expect_parts_to_give_the_whole(const Gemm<A, B>& whole, const Run& run) {
  std::vector<float> expected(whole.m * whole.n, NAN);
  Gemm<A, B> part = whole;
  part.c = expected.data();
  run(part);
  for (const size_t rows : {1, 2, 5, 7, 32}) {
    std::vector<float> c(whole.m * whole.n, NAN);
    for (size_t i = 0; i < whole.m; i += rows)
      for (size_t j = 0; j < whole.n; j += 48) {
        part.a = whole.a + i * whole.lda;
        part.b = whole.b + j / kPanel * whole.panel_stride;
        part.c = c.data() + i * whole.n + j;
        part.scale = whole.scale + j;
        part.bias = whole.bias + j;
        part.m = std::min(rows, whole.m - i);
        part.n = std::min<size_t>(48, whole.n - j);
        run(part);
      }
    EXPECT_EQ(c, expected) << rows << " rows at a time";
  }
}

TEST(GemmF32, ResultsDoNotDependOnHowRowsAndColumnsAreDivided) {
  const Problem p{61, 160, 768};
  const FloatData d(p);
  const GemmF32 whole{.a = d.a.data(),
                      .lda = p.k,
                      .b = d.packed_b.data(),
                      .panel_stride = p.k * kPanel,
                      .c = nullptr,
                      .ldc = p.n,
                      .scale = d.scale.data(),
                      .bias = d.bias.data(),
                      .m = p.m,
                      .n = p.n,
                      .k = p.k};
  for_each_isa([&](Isa) { expect_parts_to_give_the_whole(whole, gemm_f32); });
}

TEST(GemmF32, SumsOfIntegersBelowTwoToThe24AreExact) {
  const Problem p{9, 40, 1024};
  FloatData d(p);
  for (size_t i = 0; i < d.a.size(); ++i) d.a[i] = i % 3 ? 127.0f : -128.0f;
  for (size_t i = 0; i < d.b.size(); ++i) d.b[i] = i % 5 ? -128.0f : 127.0f;
  d.packed_b = packed(d.b, p.k, p.n);
  for_each_isa([&](Isa) {
    const auto c = product(p, d, false);
    for (size_t i = 0; i < p.m; ++i)
      for (size_t j = 0; j < p.n; ++j) {
        int64_t sum = 0;
        for (size_t k = 0; k < p.k; ++k)
          sum += static_cast<int64_t>(d.a[i * p.k + k]) * static_cast<int64_t>(d.b[k * p.n + j]);
        ASSERT_EQ(c[i * p.n + j], static_cast<float>(sum));
      }
  });
}

TEST(GemmF32, PacksTransposedWeightsAlike) {
  const size_t k = 37, n = 21;
  const auto b = random_floats(k * n, 5);
  std::vector<float> transposed(k * n);
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < n; ++j) transposed[j * k + i] = b[i * n + j];
  std::vector<float> to(packed_size(k, n));
  pack_f32({.b = transposed.data(), .row_stride = 1, .column_stride = k, .k = k, .n = n},
           to.data());
  EXPECT_EQ(to, packed(b, k, n));
}

std::vector<Format> formats_with_panels() {
  std::vector<Format> formats;
  for (const Format format : kEveryFormat)
    if (has_f8_panels(format)) formats.push_back(format);
  return formats;
}

// Returns all finite codes, in an order without a period, as [k, n].
std::vector<float> values_of_codes(Format format, size_t count) {
  std::vector<float> values;
  std::mt19937 random(9);
  while (values.size() < count) {
    const float value = decode(format, static_cast<uint8_t>(random() & 0xFF));
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

// `b` holds the codes' values.
std::vector<uint8_t> packed_codes(Format format, const std::vector<float>& b, const Problem& p) {
  std::vector<uint8_t> codes(b.size()), to(packed_size(paired(p.k), p.n));
  encode(format, b, 1.0f, codes);
  EXPECT_TRUE(pack_f8(
      format, {.b = codes.data(), .row_stride = p.n, .column_stride = 1, .k = p.k, .n = p.n},
      to.data()));
  return to;
}

// Returns rows of FP32, rounded, as gemm_bf16 reads them.
std::vector<uint16_t> in_pairs(const std::vector<float>& x, size_t rows, size_t columns) {
  std::vector<uint16_t> pairs(rows * paired(columns));
  for (size_t r = 0; r < rows; ++r)
    round_to_bf16_pairs(x.data() + r * columns, columns, pairs.data() + r * paired(columns));
  return pairs;
}

const Problem kOddProblems[] = {{1, 1, 1},     {7, 33, 1000}, {13, 100, 768}, {6, 256, 1},
                                {97, 48, 385}, {2, 64, 769},  {25, 17, 770},  {12, 80, 3072}};

// Plain C rounds products of FP32, but these products are exact.
TEST(GemmBf16, GivesTheBitsOfGemmF32) {
  for (const Problem p : kOddProblems) {
    FloatData d(p);
    round_to_bf16_values(d.a.data(), d.a.size(), d.a.data());
    round_to_bf16_values(d.b.data(), d.b.size(), d.b.data());
    d.packed_b = packed(d.b, p.k, p.n);
    const auto expected = product(p, d, true);
    std::vector<uint16_t> b(packed_size(paired(p.k), p.n));
    pack_bf16({.b = d.b.data(), .row_stride = p.n, .column_stride = 1, .k = p.k, .n = p.n},
              b.data());
    for_each_isa([&](Isa) {
      SCOPED_TRACE(testing::Message() << "m " << p.m << " n " << p.n << " k " << p.k);
      const auto a = in_pairs(d.a, p.m, p.k);
      std::vector<float> c(p.m * p.n, NAN);
      gemm_bf16({.a = a.data(),
                 .lda = paired(p.k),
                 .b = b.data(),
                 .panel_stride = paired(p.k) * kPanel,
                 .c = c.data(),
                 .ldc = p.n,
                 .scale = d.scale.data(),
                 .bias = d.bias.data(),
                 .m = p.m,
                 .n = p.n,
                 .k = p.k});
      EXPECT_EQ(c, expected);
    });
  }
}

// Returns c for codes `b` and for `a` in either type.
template <typename A>
std::vector<float> product_of_codes(Format format, const Problem& p, const std::vector<A>& a,
                                    const std::vector<uint8_t>& b, const FloatData& d) {
  std::vector<float> scale = d.scale, c(p.m * p.n, NAN);
  for (float& s : scale) s *= f8_scale(format);
  gemm_f8(format, Gemm<A, uint8_t>{.a = a.data(),
                                   .lda = a.size() / p.m,
                                   .b = b.data(),
                                   .panel_stride = paired(p.k) * kPanel,
                                   .c = c.data(),
                                   .ldc = p.n,
                                   .scale = scale.data(),
                                   .bias = d.bias.data(),
                                   .m = p.m,
                                   .n = p.n,
                                   .k = p.k});
  return c;
}

TEST(GemmF8, GivesTheBitsOfGemmF32OfTheValues) {
  for (const Format format : formats_with_panels())
    for (const Problem p : kOddProblems) {
      FloatData d(p);
      d.b = values_of_codes(format, p.k * p.n);
      d.packed_b = packed(d.b, p.k, p.n);
      const auto codes = packed_codes(format, d.b, p);
      FloatData halves = d;
      round_to_bf16_values(d.a.data(), d.a.size(), halves.a.data());
      const auto of_halves = product(p, halves, true);
      for_each_isa([&](Isa) {
        SCOPED_TRACE(testing::Message() << info(format).name << " m " << p.m << " n " << p.n);
        EXPECT_EQ(product_of_codes(format, p, d.a, codes, d), product(p, d, true));
        EXPECT_EQ(product_of_codes(format, p, in_pairs(d.a, p.m, p.k), codes, d), of_halves);
      });
    }
}

TEST(GemmF8, RowsAndColumnsMayBeDivided) {
  const Problem p{61, 160, 777};
  const Format format = Format::e4m3;
  FloatData d(p);
  d.b = values_of_codes(format, p.k * p.n);
  const auto codes = packed_codes(format, d.b, p);
  const auto pairs = in_pairs(d.a, p.m, p.k);
  const GemmF8Bf16 whole{.a = pairs.data(),
                         .lda = paired(p.k),
                         .b = codes.data(),
                         .panel_stride = paired(p.k) * kPanel,
                         .c = nullptr,
                         .ldc = p.n,
                         .scale = d.scale.data(),
                         .bias = d.bias.data(),
                         .m = p.m,
                         .n = p.n,
                         .k = p.k};
  for_each_isa([&](Isa) {
    expect_parts_to_give_the_whole(whole, [&](const GemmF8Bf16& g) { gemm_f8(format, g); });
  });
}

// If the left matrix is a unit matrix, the product is the decoded matrix.
TEST(GemmF8, DecodesEveryCode) {
  const Problem p{16, 16, 16};
  std::vector<float> unit(p.m * p.k, 0.0f);
  for (size_t i = 0; i < p.m; ++i) unit[i * p.k + i] = 1.0f;
  for (const Format format : formats_with_panels()) {
    std::vector<float> b(256);
    for (size_t i = 0; i < b.size(); ++i) b[i] = decode(format, static_cast<uint8_t>(i));
    for (float& value : b)
      if (!std::isfinite(value)) value = 0;  // times 0 they are NaN
    const auto codes = packed_codes(format, b, p);
    const std::vector<float> scale(kPanel, f8_scale(format));
    for_each_isa([&](Isa) {
      std::vector<float> c(b.size(), NAN);
      gemm_f8(format, {.a = unit.data(),
                       .lda = p.k,
                       .b = codes.data(),
                       .panel_stride = p.k * kPanel,
                       .c = c.data(),
                       .ldc = p.n,
                       .scale = scale.data(),
                       .bias = nullptr,
                       .m = p.m,
                       .n = p.n,
                       .k = p.k});
      EXPECT_EQ(c, b) << info(format).name;
    });
  }
}

TEST(GemmF8, TakesFloatsOf8BitsAndPacksNoOthers) {
  for (const Format format : {Format::e4m3, Format::e5m2}) EXPECT_TRUE(has_f8_panels(format));
  EXPECT_FALSE(has_f8_panels(Format::int8));
  std::vector<uint8_t> b(6, 1), to(packed_size(paired(3), 2));
  for (const Format format : kEveryFormat)
    EXPECT_EQ(pack_f8(format, {.b = b.data(), .row_stride = 2, .column_stride = 1, .k = 3, .n = 2},
                      to.data()),
              has_f8_panels(format))
        << info(format).name;
}

TEST(GemmF8, RefusesCodesOfWhatIsNotFinite) {
  for (const Format format : formats_with_panels())
    for (int code = 0; code < 256; ++code) {
      std::vector<uint8_t> b(3 * 5, 1), to(packed_size(paired(3), 5));
      b[7] = static_cast<uint8_t>(code);
      const Pack<uint8_t> pack{.b = b.data(), .row_stride = 5, .column_stride = 1, .k = 3, .n = 5};
      EXPECT_EQ(pack_f8(format, pack, to.data()), std::isfinite(decode(format, b[7])))
          << info(format).name << " " << code;
    }
}

}  // namespace
}  // namespace fp8q::cpu
