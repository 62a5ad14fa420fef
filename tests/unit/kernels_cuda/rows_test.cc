// Compares row-wise GPU kernels with double arithmetic.

#include "kernels/cuda/rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "numeric/token_scale.h"
#include "tests/unit/kernels_cuda/device.h"

namespace fp8q::test {
namespace {

using cuda::SumType;

constexpr float kUnitBf16 = 1.0f / 256;  // half a unit in the last place, relative
constexpr float kEpsilon = 1e-12f;

struct Case {
  SumType sums;
  std::optional<Format> format;
  cuda::OperandType type;
  bool per_token = false;  // the sums' rows have scales, and so have the operand's
  bool factors = false;
};
constexpr Case kCases[] = {
    {SumType::bf16, Format::e4m3, cuda::OperandType::e4m3},
    {SumType::bf16, Format::e5m2, cuda::OperandType::e5m2},
    {SumType::i32, Format::int8, cuda::OperandType::int8},
    {SumType::f32, Format::e4m3, cuda::OperandType::bf16},
    {SumType::bf16, std::nullopt, cuda::OperandType::bf16},
    {SumType::bf16, Format::e4m3, cuda::OperandType::e4m3, true},
    {SumType::i32, Format::int8, cuda::OperandType::int8, true, true},
    {SumType::f32, Format::e5m2, cuda::OperandType::bf16, true},
    {SumType::bf16, Format::e4m3, cuda::OperandType::e4m3, false, true},
};

std::vector<float> row_scales_of(size_t rows) {
  std::vector<float> scales;
  for (size_t r = 0; r < rows; ++r) scales.push_back(0.5f + 0.07f * static_cast<float>(r % 7));
  return scales;
}

// Holds the sums of a case with what they mean. If rows have scales, `row_scale` is
// row_scales_of().
struct TestSums {
  TestSums(const Case& c, size_t rows, size_t columns, unsigned seed)
      : TestSums(c.sums, rows, columns, seed, c.per_token) {}
  TestSums(SumType type, size_t rows, size_t columns, unsigned seed, bool per_token = false)
      : scale(random_floats(columns, seed + 1, 0.01f)),
        bias(random_floats(columns, seed + 2)),
        device_scale(scale),
        device_bias(bias),
        bytes(rows * columns * (type == SumType::bf16 ? 2 : 4)) {
    const std::vector<float> raw = random_floats(rows * columns, seed, 300);
    const std::vector<float> row_scale = row_scales_of(rows);
    std::vector<uint8_t> host;
    const auto append = [&](const auto value) {
      const auto* p = reinterpret_cast<const uint8_t*>(&value);
      host.insert(host.end(), p, p + sizeof value);
    };
    for (size_t i = 0; i < raw.size(); ++i) {
      double sum = 0;
      if (type == SumType::bf16) {
        const auto bits = static_cast<uint16_t>(BFloat16Codec::encode(raw[i]));
        append(bits), sum = bf16_value(bits);
      } else if (type == SumType::f32) {
        append(raw[i]), sum = raw[i];
      } else {
        append(static_cast<int32_t>(raw[i])), sum = static_cast<int32_t>(raw[i]);
      }
      if (per_token) sum *= row_scale[i / columns];
      values.push_back(sum * scale[i % columns] + bias[i % columns]);
    }
    expect_ok(cudaMemcpy(bytes.data(), host.data(), host.size(), cudaMemcpyHostToDevice));
    sums = {bytes.data(), type, device_scale.data(), device_bias.data()};
  }

  std::vector<float> scale, bias;
  DeviceArray<float> device_scale, device_bias;
  DeviceArray<uint8_t> bytes;
  cuda::Sums sums;
  std::vector<double> values;
};

std::vector<double> norm_of(std::vector<double> x, size_t columns, const std::vector<float>& gamma,
                            const std::vector<float>& beta) {
  for (size_t r = 0; r < x.size(); r += columns) {
    double mean = 0, variance = 0;
    for (size_t c = 0; c < columns; ++c) mean += x[r + c] / static_cast<double>(columns);
    for (size_t c = 0; c < columns; ++c)
      variance += (x[r + c] - mean) * (x[r + c] - mean) / static_cast<double>(columns);
    for (size_t c = 0; c < columns; ++c)
      x[r + c] = (x[r + c] - mean) / std::sqrt(variance + kEpsilon) * gamma[c] + beta[c];
  }
  return x;
}

// Returns the tolerance for FP32 sums of n terms of a row of size about 1.
double row_tolerance(size_t columns) { return 1e-6 * std::sqrt(static_cast<double>(columns)); }

struct Results {
  Results(size_t tokens, size_t width, const Case& c)
      : columns(width),
        factors(random_floats(columns, 12)),
        hidden(tokens * columns),
        operand(tokens * columns * static_cast<size_t>(cuda::element_size(c.type))),
        values(tokens * columns),
        device_factors(factors),
        row_scales(row_scales_of(tokens)),
        out{hidden.data(),
            {operand.data(),
             {c.format, 0.02f, c.type, c.per_token, c.factors ? device_factors.data() : nullptr},
             row_scales.data()},
            values.data()} {}

  // Returns `sums` with the row scales that the kernel is to replace by those of the results.
  cuda::Sums after(cuda::Sums sums) {
    if (out.operand.rounding.per_token) sums.row_scale = row_scales.data();
    return sums;
  }

  // Compares the values with `expected`, and the other results exactly with the values.
  void check(const std::vector<double>& expected, double tolerance) const {
    const auto y = values.read();
    const auto h = hidden.read();
    const auto o = operand.read();
    const auto scales = row_scales.read();
    const auto& r = out.operand.rounding;
    const auto product = [&](size_t i) { return r.factors ? y[i] * factors[i % columns] : y[i]; };
    float scale = r.scale;
    for (size_t i = 0; i < y.size(); ++i) {
      if (r.per_token && i % columns == 0) {
        float absmax = 0;
        for (size_t j = i; j < i + columns; ++j) absmax = std::max(absmax, std::fabs(product(j)));
        scale = token_scale(*r.format, absmax);
        ASSERT_EQ(scales[i / columns], scale) << i / columns;
      }
      ASSERT_NEAR(y[i], expected[i], tolerance * (1 + std::fabs(expected[i]))) << i;
      ASSERT_EQ(h[i], BFloat16Codec::encode(y[i])) << i;
      if (r.type != cuda::OperandType::bf16) {
        ASSERT_EQ(o[i], encode(*r.format, product(i), scale)) << i;
      } else {
        const float value =
            r.format ? decode(*r.format, encode(*r.format, product(i), scale)) : y[i];
        ASSERT_EQ(reinterpret_cast<const uint16_t*>(o.data())[i], BFloat16Codec::encode(value));
      }
    }
  }

  size_t columns;
  std::vector<float> factors;
  DeviceArray<uint16_t> hidden;
  DeviceArray<uint8_t> operand;
  DeviceArray<float> values, device_factors, row_scales;
  cuda::RowResults out;
};

TEST(CudaRows, AddNorm) {
  FP8Q_NEED_DEVICE();
  size_t turn = 0;
  for (const size_t columns : {32, 312, 384, 768, 1024}) {
    for (const size_t tokens : {1, 5, 67, 6}) {
      const Case& c = kCases[turn++ % std::size(kCases)];
      TestSums sums(c, tokens, columns, 7);
      const auto residual = to_bf16(random_floats(tokens * columns, 3));
      const auto gamma = random_floats(columns, 4), beta = random_floats(columns, 5);
      DeviceArray<uint16_t> device_residual(residual);
      DeviceArray<float> device_gamma(gamma), device_beta(beta);
      Results results(tokens, columns, c);
      cuda::add_norm({.sums = results.after(sums.sums),
                      .residual = device_residual.data(),
                      .norm = {device_gamma.data(), device_beta.data(), kEpsilon},
                      .tokens = static_cast<int64_t>(tokens),
                      .columns = static_cast<int64_t>(columns),
                      .out = results.out},
                     nullptr);
      std::vector<double> x = sums.values;
      for (size_t i = 0; i < x.size(); ++i) x[i] += bf16_value(residual[i]);
      SCOPED_TRACE(testing::Message() << tokens << " x " << columns);
      results.check(norm_of(x, columns, gamma, beta), row_tolerance(columns));
    }
  }
  expect_ok(cudaGetLastError());
}

TEST(CudaRows, AddNormInPlaceOfTheResidual) {
  FP8Q_NEED_DEVICE();
  constexpr size_t kTokens = 9, kColumns = 384;
  TestSums sums(SumType::bf16, kTokens, kColumns, 1);
  const auto residual = to_bf16(random_floats(kTokens * kColumns, 3));
  const std::vector<float> ones(kColumns, 1), zeros(kColumns, 0);
  DeviceArray<uint16_t> hidden(residual);
  DeviceArray<float> gamma(ones), beta(zeros);
  cuda::add_norm({.sums = sums.sums,
                  .residual = hidden.data(),
                  .norm = {gamma.data(), beta.data(), kEpsilon},
                  .tokens = kTokens,
                  .columns = kColumns,
                  .out = {.hidden = hidden.data()}},
                 nullptr);
  std::vector<double> x = sums.values;
  for (size_t i = 0; i < x.size(); ++i) x[i] += bf16_value(residual[i]);
  const auto expected = norm_of(x, kColumns, ones, zeros);
  const auto got = hidden.read();
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(bf16_value(got[i]), expected[i], kUnitBf16 * (std::fabs(expected[i]) + 1e-3));
}

TEST(CudaRows, Embed) {
  FP8Q_NEED_DEVICE();
  for (const bool types : {true, false}) {
    constexpr size_t kTokens = 11, kColumns = 128, kWords = 40, kPositions = 20;
    const auto word = random_floats(kWords * kColumns, 1);
    const auto position = random_floats(kPositions * kColumns, 2);
    const auto type = random_floats(2 * kColumns, 3);
    const auto gamma = random_floats(kColumns, 4), beta = random_floats(kColumns, 5);
    std::vector<int32_t> ids, type_ids, positions;
    for (int32_t t = 0; t < static_cast<int32_t>(kTokens); ++t) {
      ids.push_back(t * 7 % static_cast<int32_t>(kWords));
      type_ids.push_back(t % 2);
      positions.push_back(t % 4 + 1);
    }
    DeviceArray<float> w(word), p(position), ty(type), g(gamma), b(beta);
    DeviceArray<int32_t> device_ids(ids), device_types(type_ids), device_positions(positions);
    Results results(kTokens, kColumns, kCases[types ? 0 : 6]);
    cuda::embed({.ids = device_ids.data(),
                 .type_ids = types ? device_types.data() : nullptr,
                 .positions = device_positions.data(),
                 .word = w.data(),
                 .position = p.data(),
                 .token_type = ty.data(),
                 .norm = {g.data(), b.data(), kEpsilon},
                 .tokens = kTokens,
                 .columns = kColumns,
                 .out = results.out},
                nullptr);
    std::vector<double> x;
    for (size_t t = 0; t < kTokens; ++t)
      for (size_t c = 0; c < kColumns; ++c)
        x.push_back(double{word[static_cast<size_t>(ids[t]) * kColumns + c]} +
                    type[(types ? static_cast<size_t>(type_ids[t]) : 0) * kColumns + c] +
                    position[static_cast<size_t>(positions[t]) * kColumns + c]);
    results.check(norm_of(x, kColumns, gamma, beta), row_tolerance(kColumns));
  }
}

TEST(CudaRows, Transform) {
  FP8Q_NEED_DEVICE();
  for (const Case& c : kCases) {
    for (const size_t columns : {size_t{80}, size_t{3072}, size_t{cuda::kMostTokenColumns}}) {
      SCOPED_TRACE(columns);
      const size_t tokens = columns == 80 ? 37 : 3;
      TestSums sums(c, tokens, columns, 11);
      Results results(tokens, columns, c);
      cuda::transform({.sums = results.after(sums.sums),
                       .function = cuda::Function::gelu_erf,
                       .tokens = static_cast<int64_t>(tokens),
                       .columns = static_cast<int64_t>(columns),
                       .out = results.out},
                      nullptr);
      std::vector<double> expected;
      for (const double x : sums.values)
        expected.push_back(0.5 * x * (1 + std::erf(x / std::sqrt(2.0))));
      results.check(expected, 1e-6);
    }
  }
}

// Has rows of zeros, subnormals, NaN and infinity, in two warps each.
TEST(CudaRows, ScalesOfUnusualRows) {
  FP8Q_NEED_DEVICE();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  constexpr size_t kColumns = 512, kAt = 300;
  for (const Case& c : {Case{SumType::f32, Format::e4m3, cuda::OperandType::e4m3, true},
                        Case{SumType::f32, Format::int8, cuda::OperandType::int8, true}}) {
    const float absmax[] = {0, 100 * kLeast, 1, std::numeric_limits<float>::max(), INFINITY, NAN};
    std::vector<float> x;
    for (const float largest : absmax)
      for (size_t i = 0; i < kColumns; ++i)
        x.push_back(i == kAt ? -largest : largest == 0 ? 0 : kLeast * static_cast<float>(i % 7));
    DeviceArray<float> device_x(x);
    Results results(std::size(absmax), kColumns, c);
    cuda::transform({.sums = {device_x.data(), c.sums},
                     .tokens = static_cast<int64_t>(std::size(absmax)),
                     .columns = kColumns,
                     .out = results.out},
                    nullptr);
    const auto scales = results.row_scales.read();
    const auto codes = results.operand.read();
    for (size_t i = 0; i < x.size(); ++i) {
      const float scale = token_scale(*c.format, absmax[i / kColumns]);
      if (!std::isnan(scale)) ASSERT_EQ(scales[i / kColumns], scale);
      else ASSERT_TRUE(std::isnan(scales[i / kColumns]));
      const float got = decode(*c.format, codes[i]);
      const float expected = decode(*c.format, encode(*c.format, x[i], scale));
      if (!std::isnan(expected)) ASSERT_EQ(got, expected) << i;
      else ASSERT_TRUE(std::isnan(got)) << i;
    }
  }
}

TEST(CudaRows, Dense) {
  FP8Q_NEED_DEVICE();
  for (const size_t in : {32, 768, 3000}) {
    for (const size_t rows : {1, 8, 19}) {
      constexpr size_t kOut = 21, kTokens = 40;
      const bool first_tokens = rows == 19;
      const auto x = random_floats(kTokens * in, 1);
      const auto weight = random_floats(kOut * in, 2), scale = random_floats(kOut, 3);
      const auto bias = random_floats(kOut, 4);
      std::vector<int32_t> offsets;
      for (size_t r = 0; r < rows; ++r) offsets.push_back(static_cast<int32_t>(r * 2));
      DeviceArray<float> device_x(x), w(weight), s(scale), b(bias), y(rows * kOut);
      DeviceArray<int32_t> device_offsets(offsets);
      const auto factors = random_floats(in, 5);
      DeviceArray<float> device_factors(factors);
      const bool per_token = rows != 1;
      const cuda::Rounding rounding{.format = Format::e4m3,
                                    .scale = 0.01f,
                                    .per_token = per_token,
                                    .factors = per_token ? device_factors.data() : nullptr};
      cuda::dense({.x = device_x.data(),
                   .offsets = first_tokens ? device_offsets.data() : nullptr,
                   .rounding = rounding,
                   .weight = w.data(),
                   .scale = s.data(),
                   .bias = b.data(),
                   .function = cuda::Function::tanh,
                   .rows = static_cast<int64_t>(rows),
                   .in = static_cast<int64_t>(in),
                   .out = kOut,
                   .y = y.data()},
                  nullptr);
      const auto got = y.read();
      for (size_t r = 0; r < rows; ++r) {
        const size_t token = first_tokens ? r * 2 : r;
        std::vector<float> row(x.begin() + static_cast<ptrdiff_t>(token * in),
                               x.begin() + static_cast<ptrdiff_t>((token + 1) * in));
        float absmax = 0;
        for (size_t k = 0; k < in && per_token; ++k)
          absmax = std::max(absmax, std::fabs(row[k] *= factors[k]));
        const float row_scale = per_token ? token_scale(Format::e4m3, absmax) : 1.0f;
        const float step = per_token ? row_scale : rounding.scale;
        for (size_t n = 0; n < kOut; ++n) {
          double sum = 0, size = 0;
          for (size_t k = 0; k < in; ++k) {
            const double term = double{decode(Format::e4m3, encode(Format::e4m3, row[k], step))} *
                                row_scale * weight[n * in + k];
            sum += term;
            size += std::fabs(term);
          }
          const double bound = 1e-7 * size * std::fabs(scale[n]) + 1e-6;
          ASSERT_NEAR(got[r * kOut + n], std::tanh(sum * scale[n] + bias[n]), bound);
        }
      }
    }
  }
}

}  // namespace
}  // namespace fp8q::test
