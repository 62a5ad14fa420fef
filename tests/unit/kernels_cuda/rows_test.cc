// Row-wise GPU kernels against double arithmetic.

#include "kernels/cuda/rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/kernels_cuda/device.h"

namespace fp8q::test {
namespace {

using cuda::SumType;

constexpr float kUnitBf16 = 1.0f / 256;  // half a unit in the last place, relative
constexpr float kEpsilon = 1e-12f;

// Sums of each type with what they mean.
struct TestSums {
  TestSums(SumType type, size_t rows, size_t columns, unsigned seed)
      : scale(random_floats(columns, seed + 1, 0.01f)),
        bias(random_floats(columns, seed + 2)),
        device_scale(scale),
        device_bias(bias),
        bytes(rows * columns * (type == SumType::bf16 ? 2 : 4)) {
    const std::vector<float> raw = random_floats(rows * columns, seed, 300);
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

// FP32 sums of n terms of a row of size about 1.
double row_tolerance(size_t columns) { return 1e-6 * std::sqrt(static_cast<double>(columns)); }

struct Results {
  Results(size_t size, std::optional<Format> format, cuda::OperandType type)
      : hidden(size),
        operand(size * static_cast<size_t>(cuda::element_size(type))),
        values(size),
        out{hidden.data(), {operand.data(), {format, 0.02f, type}}, values.data()} {}

  // The values against `expected`; the other results against the values, exactly.
  void check(const std::vector<double>& expected, double tolerance) const {
    const auto y = values.read();
    const auto h = hidden.read();
    const auto o = operand.read();
    const auto& r = out.operand.rounding;
    for (size_t i = 0; i < y.size(); ++i) {
      ASSERT_NEAR(y[i], expected[i], tolerance * (1 + std::fabs(expected[i]))) << i;
      ASSERT_EQ(h[i], BFloat16Codec::encode(y[i])) << i;
      if (r.type != cuda::OperandType::bf16) {
        ASSERT_EQ(o[i], encode(*r.format, y[i], r.scale)) << i;
      } else {
        const float value = r.format ? decode(*r.format, encode(*r.format, y[i], r.scale)) : y[i];
        ASSERT_EQ(reinterpret_cast<const uint16_t*>(o.data())[i], BFloat16Codec::encode(value));
      }
    }
  }

  DeviceArray<uint16_t> hidden;
  DeviceArray<uint8_t> operand;
  DeviceArray<float> values;
  cuda::RowResults out;
};

struct Case {
  SumType sums;
  std::optional<Format> format;
  cuda::OperandType type;
};
constexpr Case kCases[] = {
    {SumType::bf16, Format::e4m3, cuda::OperandType::e4m3},
    {SumType::bf16, Format::e5m2, cuda::OperandType::e5m2},
    {SumType::i32, Format::int8, cuda::OperandType::int8},
    {SumType::f32, Format::e4m3, cuda::OperandType::bf16},
    {SumType::bf16, std::nullopt, cuda::OperandType::bf16},
};

TEST(CudaRows, AddNorm) {
  FP8Q_NEED_DEVICE();
  for (const size_t columns : {32, 312, 384, 768, 1024}) {
    for (const size_t tokens : {1, 5, 67}) {
      const Case& c = kCases[(columns + tokens) % std::size(kCases)];
      TestSums sums(c.sums, tokens, columns, 7);
      const auto residual = to_bf16(random_floats(tokens * columns, 3));
      const auto gamma = random_floats(columns, 4), beta = random_floats(columns, 5);
      DeviceArray<uint16_t> device_residual(residual);
      DeviceArray<float> device_gamma(gamma), device_beta(beta);
      Results results(tokens * columns, c.format, c.type);
      cuda::add_norm({.sums = sums.sums,
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
    Results results(kTokens * kColumns, Format::e4m3, cuda::OperandType::e4m3);
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
    constexpr size_t kTokens = 37, kColumns = 80;
    TestSums sums(c.sums, kTokens, kColumns, 11);
    Results results(kTokens * kColumns, c.format, c.type);
    cuda::transform({.sums = sums.sums,
                     .function = cuda::Function::gelu_erf,
                     .tokens = kTokens,
                     .columns = kColumns,
                     .out = results.out},
                    nullptr);
    std::vector<double> expected;
    for (const double x : sums.values)
      expected.push_back(0.5 * x * (1 + std::erf(x / std::sqrt(2.0))));
    results.check(expected, 1e-6);
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
      const cuda::Rounding rounding{.format = Format::e4m3, .scale = 0.01f};
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
        for (size_t n = 0; n < kOut; ++n) {
          double sum = 0, size = 0;
          for (size_t k = 0; k < in; ++k) {
            const float value = x[token * in + k];
            const double term = double{decode(Format::e4m3, encode(Format::e4m3, value, 0.01f))} *
                                weight[n * in + k];
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
