#include "engine/cpu/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "engine/cpu/products/products.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/tiles.h"
#include "numeric/minifloat.h"

namespace fp8q::cpu {
namespace {

constexpr size_t kRows = 37, kIn = 133, kOut = 101;

struct Kernel {
  const char* name;
  const ProductKernel* kernel;
};
const Kernel kKernels[] = {
#define FP8Q_PRODUCT(id) {#id, &products::id},
#include "engine/cpu/products/products.def"
#undef FP8Q_PRODUCT
};

std::vector<float> normal_floats(size_t n, unsigned seed, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> x(n);
  for (float& v : x) v = normal(random);
  return x;
}

// Makes a layer whose sides have these formats; nullopt: floats, rounded to BF16 if `halves`.
ProductParts parts_of(std::optional<Format> x, std::optional<Format> w, bool halves) {
  ProductParts parts{.types = {x, w, halves, false},
                     .in = kIn,
                     .out = kOut,
                     .weight = {},
                     .scale = std::vector<float>(kOut, 0.01f),
                     .bias = normal_floats(kOut, 1, 1.0f),
                     .x = std::nullopt};
  if (x) parts.x = ActivationQuantization{*x, 0.05f, false, {}};
  parts.weight.values = normal_floats(kIn * kOut, 2, 20.0f);
  parts.weight.scales.assign(kOut, 1.0f);
  if (w) {
    parts.weight.format = w;
    for (const float v : parts.weight.values) parts.weight.codes.push_back(encode(*w, v, 1.0f));
  } else if (halves) {
    round_to_bf16_values(parts.weight.values.data(), kIn * kOut, parts.weight.values.data());
  }
  return parts;
}

// Returns y of all rows in two blocks of rows and columns.
std::vector<float> run(const Product& product, const std::vector<float>& x, const RowSink* feed) {
  Operand operand;
  if (!product.form().is_x()) product.form().write_all(x.data(), kIn, kRows, operand);
  std::vector<float> y(kRows * kOut);
  for (const Range rows : {Range{0, 32}, Range{32, kRows}})
    for (const Range columns : {Range{0, 64}, Range{64, kOut}})
      product.multiply({.x = x.data() + rows.from * kIn,
                        .x_stride = kIn,
                        .operand = operand,
                        .rows = rows,
                        .columns = columns,
                        .function = Function::relu,
                        .y = feed ? nullptr : y.data() + rows.from * kOut + columns.from,
                        .y_stride = kOut,
                        .feed = feed});
  return y;
}

// Collects what a product feeds.
class Collector final : public RowSink {
 public:
  void take(const MatrixPart& part) const override {
    for (size_t r = 0; r < part.rows.size(); ++r)
      std::memcpy(values.data() + (part.rows.from + r) * kOut + part.columns.from,
                  part.x + r * part.stride, part.columns.size() * sizeof(float));
  }
  mutable std::vector<float> values = std::vector<float>(kRows * kOut);
};

// Returns the bounds of y's error from the roundings of sums in any order: as many as a sum has
// terms, of the sum of magnitudes, then scaled.
std::vector<float> bounds_of(const ProductParts& parts, const std::vector<float>& x) {
  const std::vector<float> w = parts.weight.decoded();
  std::vector<float> bounds(kRows * kOut);
  for (size_t r = 0; r < kRows; ++r)
    for (size_t n = 0; n < kOut; ++n) {
      double sum = 0;
      for (size_t k = 0; k < kIn; ++k) {
        float v = x[r * kIn + k];
        if (parts.x) v = decode(parts.x->format, encode(parts.x->format, v, parts.x->scale));
        sum += std::abs(double{v} * w[k * kOut + n]);
      }
      bounds[r * kOut + n] = static_cast<float>((kIn + 4) * 0x1p-24 * sum * 0.01);
    }
  return bounds;
}

struct Types {
  std::optional<Format> x, w;
  bool halves;
};

// Every kernel works on every CPU, in plain code where instructions are missing. All give what FP32
// gives: the same bits where sums are exact or the same chains, else sums in another order.
TEST(Products, OfAllKernelsAgree) {
  const auto x = normal_floats(kRows * kIn, 3, 2.0f);
  std::vector<std::string> seen;
  for (const Types& types :
       {Types{Format::int8, Format::int8, false}, Types{Format::e4m3, Format::e4m3, false},
        Types{Format::e5m2, Format::e4m3, false}, Types{std::nullopt, std::nullopt, true},
        Types{std::nullopt, Format::e5m2, false}, Types{std::nullopt, std::nullopt, false}}) {
    ProductParts plain = parts_of(types.x, types.w, types.halves);
    const auto bounds = bounds_of(plain, x);
    const auto expected = run(*products::f32.make(plain), x, nullptr);
    for (const Kernel& k : kKernels) {
      ProductParts parts = parts_of(types.x, types.w, types.halves);
      if (!k.kernel->serves(parts.types, kIn, {Isa::amx, true})) continue;
      SCOPED_TRACE(k.name);
      seen.push_back(k.name);
      const auto product = k.kernel->make(parts);
      ASSERT_NE(product, nullptr);
      const auto y = run(*product, x, nullptr);
      const bool tiles = std::string(k.name).starts_with("tiles_");
      for (size_t i = 0; i < y.size(); ++i) {
        if (tiles && !plain.types.integers()) ASSERT_NEAR(y[i], expected[i], bounds[i]) << i;
        else ASSERT_EQ(y[i], expected[i]) << i;
      }
      const Collector fed;
      run(*product, x, &fed);
      EXPECT_EQ(fed.values, y);
    }
  }
  for (const Kernel& k : kKernels)
    EXPECT_NE(std::find(seen.begin(), seen.end(), k.name), seen.end()) << k.name;
}

// Tokens with scales of their own.
TEST(Products, OfAllKernelsApplyTheScalesOfRows) {
  const auto x = normal_floats(kRows * kIn, 3, 2.0f);
  for (const Format format : {Format::int8, Format::e4m3}) {
    ProductParts plain = parts_of(format, format, false);
    plain.x->per_token = true;
    const auto bounds = bounds_of(plain, x);
    ProductParts copy = plain;
    const auto expected = run(*products::f32.make(copy), x, nullptr);
    for (const Kernel& k : kKernels) {
      ProductParts parts = plain;
      if (!k.kernel->serves(parts.types, kIn, {Isa::amx, true})) continue;
      SCOPED_TRACE(k.name);
      const auto y = run(*k.kernel->make(parts), x, nullptr);
      for (size_t i = 0; i < y.size(); ++i)
        ASSERT_NEAR(y[i], expected[i], 1e-5 * std::abs(expected[i]) + bounds[i]) << i;
    }
  }
}

TEST(Products, AreChosenByTypesAndMachine) {
  const auto first = [](const ProductTypes& types, const Machine& machine) -> std::string {
    for (const Kernel& k : kKernels)
      if (k.kernel->serves(types, kIn, machine)) return k.name;
    return "none";
  };
  const ProductTypes int8{Format::int8, Format::int8}, e4m3{Format::e4m3, Format::e4m3};
  ProductTypes expanded = e4m3, rounded;
  expanded.expand_codes = rounded.rounded_to_bf16 = true;
  const Machine avx2{Isa::avx2, false}, vnni{Isa::avx512_vnni, false};
  const Machine slow_dots{Isa::avx512_bf16, false}, dots{Isa::avx512_bf16, true};
  const Machine amx{Isa::amx, false};
  EXPECT_EQ(first(int8, avx2), "i8_pairs");
  EXPECT_EQ(first(int8, vnni), "i8_fours");
  EXPECT_EQ(first(int8, amx), "tiles_i8");
  EXPECT_EQ(first(e4m3, avx2), "f8_f32");
  EXPECT_EQ(first(e4m3, slow_dots), "f8_f32");
  EXPECT_EQ(first(e4m3, dots), "f8_bf16");
  EXPECT_EQ(first(expanded, dots), "bf16");
  EXPECT_EQ(first(e4m3, amx), "tiles_f8");
  EXPECT_EQ(first(expanded, amx), "tiles_bf16");
  EXPECT_EQ(first(rounded, slow_dots), "f32");
  EXPECT_EQ(first(rounded, amx), "tiles_bf16");
  EXPECT_EQ(first({}, amx), "f32");
}

}  // namespace
}  // namespace fp8q::cpu
