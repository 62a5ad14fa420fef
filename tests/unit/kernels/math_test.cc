#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "kernel_testing.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/norm.h"
#include "kernels/cpu/softmax.h"

namespace fp8q::cpu {
namespace {

// Returns every 1009th float of [-limit, limit], both signs, and the integers.
std::vector<float> sweep(float limit) {
  std::vector<float> x;
  for (uint32_t bits = 0; bits <= std::bit_cast<uint32_t>(limit); bits += 1009) {
    x.push_back(std::bit_cast<float>(bits));
    x.push_back(-x.back());
  }
  return x;
}

double gelu_erf(double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); }
double gelu_tanh(double x) {
  const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-2 * u));
}

struct Curve {
  const char* name;
  Function function;
  double (*exact)(double);
  double of_x;  // the bound on the error: of_x * |x| + relative * |exact|
  double relative;
};

class ActivationTest : public testing::TestWithParam<Curve> {};

TEST_P(ActivationTest, StaysWithinItsErrorBound) {
  const Curve& c = GetParam();
  const auto x = sweep(20.0f);
  for_each_isa([&](Isa) {
    auto y = x;
    activate({c.function, y.data(), y.size(), 1, y.size()});
    double worst = 0;
    float where = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = c.exact(x[i]);
      const double scale = c.of_x * std::abs(double{x[i]}) + c.relative * std::abs(exact) + 1e-44;
      const double excess = std::abs(y[i] - exact) / scale;
      if (!(excess <= worst)) worst = excess, where = x[i];
    }
    EXPECT_LE(worst, 1.0) << c.name << " at " << where;
    RecordProperty(c.name, std::to_string(worst));
  });
}

TEST_P(ActivationTest, KeepsSpecialValues) {
  const Curve& c = GetParam();
  for_each_isa([&](Isa) {
    std::vector<float> y = {NAN, INFINITY, 0.0f, 100.0f, -100.0f};
    activate({c.function, y.data(), y.size(), 1, y.size()});
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], c.function == Function::tanh ? 1.0f : INFINITY);
    EXPECT_EQ(y[2], 0.0f);
    EXPECT_FLOAT_EQ(y[3], static_cast<float>(c.exact(100.0)));
    EXPECT_NEAR(y[4], c.exact(-100.0), 1e-30);
  });
}

double relu(double x) { return x > 0 ? x : 0; }

INSTANTIATE_TEST_SUITE_P(
    Curves, ActivationTest,
    testing::Values(Curve{"gelu_erf", Function::gelu_erf, gelu_erf, 6e-8, 6e-8},
                    Curve{"gelu_tanh", Function::gelu_tanh, gelu_tanh, 1e-10, 5e-6},
                    Curve{"relu", Function::relu, relu, 0, 0},
                    Curve{"tanh", Function::tanh, std::tanh, 0, 2.5e-7}),
    [](const auto& p) { return std::string(p.param.name); });

TEST(Softmax, MatchesDouble) {
  for_each_isa([](Isa) {
    for (const size_t n : {1, 2, 15, 16, 17, 31, 33, 100, 512}) {
      const size_t stride = panels(n) * kPanel;
      auto x = random_floats(3 * stride, 11, 6.0f);
      const auto before = x;
      softmax({x.data(), stride, 3, n, 0.7f});
      for (size_t r = 0; r < 3; ++r) {
        double largest = -1e300, total = 0;
        for (size_t i = 0; i < n; ++i)
          largest = std::max(largest, 0.7f * double{before[r * stride + i]});
        for (size_t i = 0; i < n; ++i)
          total += std::exp(0.7f * double{before[r * stride + i]} - largest);
        for (size_t i = 0; i < n; ++i) {
          const double p = std::exp(0.7f * double{before[r * stride + i]} - largest) / total;
          // The exponent, up to 40, is rounded, which costs 40 * 2^-24 and a few roundings.
          ASSERT_NEAR(x[r * stride + i], p, p * 5e-6 + 1e-37) << n;
        }
        for (size_t i = n; i < stride; ++i) ASSERT_EQ(x[r * stride + i], 0.0f);
      }
    }
  });
}

TEST(Softmax, RoundsSumsBeforeItScalesThem) {
  constexpr size_t kColumns = 21, kStride = 32;
  const float sum_scale = 0.0123f, scale = 0.35f;
  for_each_isa([&](Isa) {
    std::vector<float> expected(kStride), floats(kStride), integers(kStride);
    for (size_t i = 0; i < kColumns; ++i) {
      const auto sum = static_cast<int32_t>(i * i * 7) - 500;
      floats[i] = static_cast<float>(sum);
      integers[i] = std::bit_cast<float>(sum);
      expected[i] = floats[i] * sum_scale;
    }
    softmax({expected.data(), kStride, 1, kColumns, scale});
    softmax({floats.data(), kStride, 1, kColumns, scale, sum_scale});
    softmax({integers.data(), kStride, 1, kColumns, scale, sum_scale, true});
    EXPECT_EQ(floats, expected);
    EXPECT_EQ(integers, expected);
  });
}

TEST(Softmax, KeepsNanAndSaturates) {
  for_each_isa([](Isa) {
    std::vector<float> x(32, 0.0f);
    x[0] = 1000.0f;
    x[1] = -1000.0f;
    x[16] = NAN;
    softmax({x.data(), 16, 2, 3, 1.0f});
    EXPECT_EQ(x[0], 1.0f);
    EXPECT_EQ(x[1], 0.0f);
    EXPECT_TRUE(std::isnan(x[16]) && std::isnan(x[17]));
  });
}

TEST(Norm, IsRoundedOnceAndTheSameOnAllIsas) {
  for (const size_t n : {1, 5, 32, 100, 312, 384, 768}) {
    const size_t rows = 3;
    auto x = random_floats(rows * n, 12, 3.0f);
    for (float& v : x) v += 5.0f;
    const auto residual = random_floats(rows * n, 13);
    const auto gamma = random_floats(n, 14), beta = random_floats(n, 15);
    std::vector<float> first;
    for_each_isa([&](Isa) {
      std::vector<float> out(rows * n);
      norm_rows({x.data(), n, residual.data(), n, gamma.data(), beta.data(), 1e-12f, out.data(), n,
                 rows, n});
      if (first.empty()) first = out;
      EXPECT_EQ(out, first) << n;  // no fma in it: plain C agrees as well
      for (size_t r = 0; r < rows; ++r) {
        double mean = 0, variance = 0;
        const auto at = [&](size_t i) { return double{x[r * n + i] + residual[r * n + i]}; };
        for (size_t i = 0; i < n; ++i) mean += at(i) / static_cast<double>(n);
        for (size_t i = 0; i < n; ++i)
          variance += (at(i) - mean) * (at(i) - mean) / static_cast<double>(n);
        for (size_t i = 0; i < n; ++i) {
          const double y = (at(i) - mean) / std::sqrt(variance + 1e-12f) * gamma[i] + beta[i];
          ASSERT_NEAR(out[r * n + i], y, std::ldexp(std::abs(y), -24) + 1e-12) << n;
        }
      }
    });
  }
}

TEST(FinishSums, ScalesAddsAndActivates) {
  const size_t rows = 3, n = 37;
  std::vector<int32_t> sums(rows * n);
  for (size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<int32_t>(i * 7919) - 400000;
  const auto scale = random_floats(n, 16, 1e-4f), bias = random_floats(n, 17);
  for_each_isa([&](Isa) {
    std::vector<float> out(rows * n);
    finish_sums({.sum = sums.data(),
                 .integer = true,
                 .sum_stride = n,
                 .scale = scale.data(),
                 .bias = bias.data(),
                 .function = Function::relu,
                 .out = out.data(),
                 .out_stride = n,
                 .rows = rows,
                 .columns = n});
    for (size_t i = 0; i < out.size(); ++i) {
      float expected = static_cast<float>(sums[i]) * scale[i % n];
      expected += bias[i % n];
      ASSERT_EQ(out[i], std::max(expected, 0.0f));
    }
  });
}

TEST(FinishSums, RowsHaveScalesOfTheirOwn) {
  const size_t rows = 4, n = 37;
  const auto sums = random_floats(rows * n, 18), scale = random_floats(n, 19);
  const auto row_scale = random_floats(rows, 20);
  for_each_isa([&](Isa) {
    for (const float* columns : {scale.data(), static_cast<const float*>(nullptr)}) {
      std::vector<float> out = sums;  // in place
      finish_sums({.sum = out.data(),
                   .integer = false,
                   .sum_stride = n,
                   .scale = columns,
                   .bias = nullptr,
                   .row_scale = row_scale.data(),
                   .function = Function::none,
                   .out = out.data(),
                   .out_stride = n,
                   .rows = rows,
                   .columns = n});
      for (size_t i = 0; i < out.size(); ++i)
        ASSERT_EQ(out[i], sums[i] * (row_scale[i / n] * (columns ? scale[i % n] : 1.0f)));
    }
  });
}

}  // namespace
}  // namespace fp8q::cpu
