#include "engine/cpu/prepared_linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/tiles.h"

namespace fp8q::cpu {
namespace {

struct Case {
  std::vector<Site> sites;
  Linear linear;
};

Site quantized_site(SiteKind kind, Format format, const Tensor& scale,
                    std::optional<int64_t> axis) {
  Site s;
  s.kind = kind;
  s.quantization = Quantization{format, scale, axis};
  return s;
}

// Makes INT8 codes at the limits, so that sums leave FP32's exact integers.
Case large_int8(int64_t in, int64_t out) {
  Case c;
  c.sites = {quantized_site(SiteKind::activation, Format::int8, Tensor::scalar(0.5f), {}),
             quantized_site(SiteKind::weight, Format::int8, Tensor::scalar(0.25f), {})};
  c.linear.in = in;
  c.linear.out = out;
  c.linear.input_site = 0;
  c.linear.weight_site = 1;
  c.linear.weight = Tensor(DType::i8, {in, out});
  auto w = c.linear.weight.mutable_data<int8_t>();
  std::mt19937 random(3);
  for (auto& v : w) v = static_cast<int8_t>(127 - random() % 5);
  return c;
}

void run(const PreparedLinear& linear, const PreparedLinear::Run& args) {
  Operand operand;
  if (!linear.form().is_x()) linear.form().write_all(args.x, args.x_stride, args.rows, operand);
  linear.run(args, operand);
}

TEST(PreparedLinear, Int8SumsBeyondTheExactIntegersOfFp32AreExact) {
  for (const int64_t in : {1024, 1025, 2304, 4096}) {
    const Case c = large_int8(in, 70);
    const PreparedLinear linear({&c.linear}, c.sites, ComputeType::automatic);
    const size_t rows = 11, k = static_cast<size_t>(in), n = 70;
    std::vector<float> x(rows * k);
    std::mt19937 random(4);
    for (float& v : x) v = 0.5f * static_cast<float>(127 - static_cast<int>(random() % 3));
    std::vector<float> y(rows * n);
    run(linear, {x.data(), k, rows, Function::none, y.data(), n});
    const auto w = c.linear.weight.data<int8_t>();
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < n; ++j) {
        int64_t sum = 0;
        for (size_t q = 0; q < k; ++q) sum += static_cast<int64_t>(x[i * k + q] * 2) * w[q * n + j];
        ASSERT_EQ(y[i * n + j], static_cast<float>(sum) * 0.125f) << in;
      }
  }
}

// The results equal, bit for bit, those of the interpreter on a converted model, whose scales are
// scale_for's.
TEST(PreparedLinear, Int8RoundsAsProductsOfDequantizedValuesDo) {
  for (const int64_t in : {384, 1536}) {
    Case c = large_int8(in, 70);
    const size_t rows = 5, k = static_cast<size_t>(in), n = 70;
    std::mt19937 random(5);
    std::vector<float> scales, x(rows * k), bias(n), y(rows * n);
    for (size_t j = 0; j < n; ++j)
      scales.push_back(scale_for(Format::int8, 0.3f + 0.01f * static_cast<float>(j)));
    const float x_scale = scale_for(Format::int8, 5.7f);
    c.sites = {quantized_site(SiteKind::activation, Format::int8, Tensor::scalar(x_scale), {}),
               quantized_site(SiteKind::weight, Format::int8,
                              Tensor::of<float>({static_cast<int64_t>(n)}, scales), 1)};
    auto w = c.linear.weight.mutable_data<int8_t>();
    std::normal_distribution<float> normal(0.0f, 30.0f);
    for (auto& v : w) v = static_cast<int8_t>(normal(random));
    for (float& v : x) v = x_scale * std::round(normal(random));
    for (float& v : bias) v = 0.01f * normal(random);
    c.linear.bias = Tensor::of<float>({static_cast<int64_t>(n)}, bias);
    const PreparedLinear linear({&c.linear}, c.sites, ComputeType::automatic);
    run(linear, {x.data(), k, rows, Function::none, y.data(), n});
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (size_t q = 0; q < k; ++q)
          sum += double{x[i * k + q]} * double{static_cast<float>(w[q * n + j]) * scales[j]};
        ASSERT_EQ(y[i * n + j], static_cast<float>(sum) + bias[j]) << in;
      }
  }
}

TEST(PreparedLinear, ScalesAlongTheInputAreMultipliedIn) {
  Case c;
  std::vector<float> scales = {1.0f, 2.0f, 4.0f};
  c.sites = {quantized_site(SiteKind::weight, Format::e4m3, Tensor::of<float>({3}, scales), 0)};
  c.linear.in = 3;
  c.linear.out = 2;
  c.linear.weight_site = 0;
  c.linear.weight =
      Tensor::of<Float8E4M3>({3, 2}, {Float8E4M3(1.0f), Float8E4M3(2.0f), Float8E4M3(1.0f),
                                      Float8E4M3(-1.0f), Float8E4M3(0.5f), Float8E4M3(0.0f)});
  const PreparedLinear linear({&c.linear}, c.sites, ComputeType::automatic);
  const std::vector<float> x = {1.0f, 10.0f, 100.0f};
  std::vector<float> y(2);
  run(linear, {x.data(), 3, 1, Function::none, y.data(), 2});
  EXPECT_EQ(y, (std::vector<float>{1.0f + 20.0f + 200.0f, 2.0f - 20.0f}));
}

TEST(PreparedLinear, FloatWeightsOfAQuantizedSiteAreQuantized) {
  Case c;
  c.sites = {quantized_site(SiteKind::weight, Format::int8, Tensor::scalar(0.5f), {})};
  c.linear.in = 1;
  c.linear.out = 3;
  c.linear.weight_site = 0;
  c.linear.weight = Tensor::of<float>({1, 3}, {0.7f, 0.2f, 100.0f});
  const PreparedLinear linear({&c.linear}, c.sites, ComputeType::automatic);
  const float x = 1.0f;
  std::vector<float> y(3);
  run(linear, {&x, 1, 1, Function::none, y.data(), 3});
  EXPECT_EQ(y, (std::vector<float>{0.5f, 0.0f, 63.5f}));
}

// Makes a layer with random weights.
Case random_case(Format x, Format w_format, size_t in, size_t out, unsigned seed) {
  Case c;
  c.sites = {quantized_site(SiteKind::activation, x, Tensor::scalar(0.125f), {}),
             quantized_site(SiteKind::weight, w_format, Tensor::scalar(0.125f), {})};
  c.linear.in = static_cast<int64_t>(in);
  c.linear.out = static_cast<int64_t>(out);
  c.linear.input_site = 0;
  c.linear.weight_site = 1;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, 1.0f);
  std::vector<float> w(in * out), bias(out);
  for (float& v : w) v = normal(random);
  for (float& v : bias) v = normal(random);
  c.linear.weight = Tensor::of<float>({c.linear.in, c.linear.out}, w);
  c.linear.bias = Tensor::of<float>({c.linear.out}, bias);
  return c;
}

// The widths are odd, and there are several blocks of rows and columns. Plain C sums the same,
// because products of codes are exact. AMX sums floats in an order of its own.
TEST(PreparedLinear, EveryInstructionSetAndFormOfWeightsGivesTheSame) {
  constexpr size_t kRows = 201, kIn = 773, kOut = 405;
  std::mt19937 random(8);
  std::normal_distribution<float> normal(0.0f, 2.0f);
  std::vector<float> x(kRows * kIn);
  for (float& v : x) v = normal(random);
  for (const Format x_format : kEveryFormat)
    for (const Format w_format : kEveryFormat) {
      const Case c = random_case(x_format, w_format, kIn, kOut, 1);
      std::vector<float> first;
      for (size_t level = 0; level <= static_cast<size_t>(detected_isa()); ++level) {
        limit_isa(static_cast<Isa>(level));
        if (isa() == Isa::amx) break;
        for (const bool expand_codes : {false, true}) {
          const PreparedLinear linear({&c.linear}, c.sites, ComputeType::automatic, expand_codes);
          std::vector<float> y(kRows * kOut);
          run(linear, {x.data(), kIn, kRows, Function::none, y.data(), kOut});
          if (first.empty()) first = y;
          EXPECT_EQ(y, first) << name(isa()) << ", " << info(x_format).name << " x "
                              << info(w_format).name << ", expanded " << expand_codes;
        }
      }
    }
  limit_isa(detected_isa());
}

TEST(PreparedLinear, SaysHowItsProductsAreFormed) {
  const auto effective = [](Format format, Isa isa) {
    limit_isa(isa);
    const Case c = random_case(format, format, 8, 8, 1);
    return PreparedLinear({&c.linear}, c.sites, ComputeType::automatic).effective();
  };
  for (size_t level = 0; level <= static_cast<size_t>(detected_isa()); ++level) {
    const auto isa = static_cast<Isa>(level);
    if (isa == Isa::amx) break;
    limit_isa(isa);
    const bool dots = machine().bf16_dots;
    EXPECT_EQ(effective(Format::e4m3, isa), dots ? "e4m3 as bf16 dot products, exact; fp32 sums"
                                                 : "e4m3 as fp32 products, exact; fp32 sums");
    EXPECT_EQ(effective(Format::int8, isa), isa >= Isa::avx512_vnni
                                                ? "int8 dot products, exact int32 sums"
                                                : "int8 as int16 products, exact int32 sums");
  }
  limit_isa(detected_isa());
}

// Pairs need parts that begin at even columns. A part's last column may be odd.
TEST(OperandForm, PartsMakeTheWhole) {
  constexpr size_t kRows = 5, kIn = 45, kStride = 46;
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0.0f, 2.0f);
  std::vector<float> x(kRows * kIn);
  for (float& v : x) v = normal(random);
  for (const Element* element : {&elements::kF32, &elements::kBf16Pairs, &elements::kU8,
                                 &elements::kI16, &elements::kI8Tiles, &elements::kBf16Tiles})
    for (const Format format : {Format::e4m3, Format::int8}) {
      const bool integer = !element->round;
      if (integer && format != Format::int8) continue;
      const size_t stride = element->in_tiles ? 64 : kStride;
      const OperandForm form(*element, {ActivationQuantization{format, 0.1f, false, {}}},
                             {kIn, stride});
      Operand whole, parts;
      form.write_all(x.data(), kIn, kRows, whole);
      form.reserve(kRows, parts);
      const size_t unit = form.column_unit();
      const size_t cuts[] = {0, unit, 2 * unit, kIn};
      for (size_t i = 3; i-- > 0;)  // the last first, so that none overwrites another
        form.write({x.data() + cuts[i], kIn, {0, kRows}, {cuts[i], cuts[i + 1]}}, parts);
      const size_t all = element->in_tiles ? kTileRows : kRows;
      const auto bytes = static_cast<size_t>(form.row(whole, all) - form.row(whole, 0));
      EXPECT_EQ(0, std::memcmp(form.row(whole, 0), form.row(parts, 0), bytes))
          << element->bytes << " bytes, " << info(format).name;
    }
}

// The widths are odd, which some kernels fill up, and there are more rows and columns than one
// block has.
TEST(PreparedLinear, WhatIsFedIsWhatTheNextLayerWouldHaveRead) {
  constexpr size_t kRows = 201, kIn = 37, kInner = 403, kOut = 21;
  std::mt19937 random(6);
  std::normal_distribution<float> normal(0.0f, 2.0f);
  std::vector<float> x(kRows * kIn);
  for (float& v : x) v = normal(random);
  for (size_t level = 0; level <= static_cast<size_t>(detected_isa()); ++level)
    for (const Format format : kEveryFormat) {
      limit_isa(static_cast<Isa>(level));
      SCOPED_TRACE(testing::Message() << name(isa()) << " " << info(format).name);
      const Case first_case = random_case(format, format, kIn, kInner, 1);
      const Case second_case = random_case(format, format, kInner, kOut, 2);
      const PreparedLinear first({&first_case.linear}, first_case.sites, ComputeType::automatic);
      const PreparedLinear second({&second_case.linear}, second_case.sites, ComputeType::automatic);
      std::vector<float> inner(kRows * kInner), expected(kRows * kOut), fed(kRows * kOut);
      run(first, {x.data(), kIn, kRows, Function::gelu_erf, inner.data(), kInner});
      const ActivationSites apart(second_case.sites);
      Operand read;
      apart.count_values(0, inner.size());
      apart.count(0, second.form().write_all(inner.data(), kInner, kRows, read));
      second.run({nullptr, 0, kRows, Function::none, expected.data(), kOut}, read);

      const ActivationSites sites(second_case.sites);
      Operand operand, next;
      const LinearFeed feed(second.form(), kRows, next, sites, 0);
      first.form().write_all(x.data(), kIn, kRows, operand);
      first.run({nullptr, 0, kRows, Function::gelu_erf, nullptr, 0, &feed}, operand);
      second.run({nullptr, 0, kRows, Function::none, fed.data(), kOut}, next);
      EXPECT_EQ(fed, expected);
      EXPECT_GT(apart.counts()[0].underflowed, 0u);
      EXPECT_EQ(sites.counts()[0].values, apart.counts()[0].values);
      EXPECT_EQ(sites.counts()[0].saturated, apart.counts()[0].saturated);
      EXPECT_EQ(sites.counts()[0].underflowed, apart.counts()[0].underflowed);
    }
  limit_isa(detected_isa());
}

}  // namespace
}  // namespace fp8q::cpu
