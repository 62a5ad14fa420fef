// Tests observers on distributions whose answers are known, for every format.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "calibrate/observer.h"
#include "tests/unit/calibrate/random_values.h"

namespace fp8q::test {
namespace {

constexpr size_t kCount = 100'000;

template <typename Distribution>
std::vector<float> drawn(Distribution distribution, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<float> values(kCount);
  for (float& x : values) x = static_cast<float>(distribution(random));
  return values;
}

std::vector<float> gaussian() { return drawn(std::normal_distribution<double>()); }
std::vector<float> laplacian() {
  std::vector<float> values = drawn(std::exponential_distribution<double>());
  for (size_t i = 0; i < values.size(); i += 2) values[i] = -values[i];
  return values;
}
std::vector<float> uniform() { return drawn(std::uniform_real_distribution<double>(-1, 1)); }
// Two in a thousand values are 40 times as large.
std::vector<float> with_outliers() {
  std::vector<float> values = gaussian();
  for (size_t i = 0; i < values.size(); i += 500) values[i] *= 40;
  return values;
}

double sqnr_db(const std::vector<float>& values, Format format, float range) {
  const float scale = scale_for(format, range);
  double signal = 0, noise = 0;
  for (const float x : values) {
    const double y = static_cast<double>(decode(format, encode(format, x, scale)) * scale);
    signal += static_cast<double>(x) * x;
    noise += (x - y) * (x - y);
  }
  return decibels(signal, noise);
}

// These SQNRs of ranges by absmax, in dB, are published for orientation.
TEST(Distributions, SqnrOfAbsmax) {
  const auto db = [](const std::vector<float>& values, Format format) {
    return sqnr_db(values, format, of_values(values).absmax());
  };
  EXPECT_NEAR(db(gaussian(), Format::e4m3), 31.6, 0.3);
  EXPECT_NEAR(db(gaussian(), Format::int8), 40.3, 0.7);
  EXPECT_NEAR(db(with_outliers(), Format::e4m3), 32.2, 1.0);
  EXPECT_LT(db(with_outliers(), Format::int8), 20.0);
  // Two mantissa bits instead of three cost 6 dB, and outliers cost no more.
  EXPECT_NEAR(db(gaussian(), Format::e5m2), db(gaussian(), Format::e4m3) - 6.0, 0.4);
  EXPECT_NEAR(db(with_outliers(), Format::e5m2), db(gaussian(), Format::e5m2), 1.0);
}

// A uniform distribution has 127 steps to each side: the signal is 1/3, and the noise is step^2 /
// 12.
TEST(Distributions, SqnrOfAUniformDistribution) {
  EXPECT_NEAR(sqnr_db(uniform(), Format::int8, 1.0f), 10 * std::log10(4.0 * 127 * 127), 0.05);
  const SiteStatistics s = of_values(uniform());
  const ExpectedError e = expected_error(s, Format::int8, 1.0f);
  EXPECT_NEAR(decibels(e.signal, e.noise), 10 * std::log10(4.0 * 127 * 127), 0.05);
}

// Computes the mean squared error of INT8 with the range r on a symmetric density by numeric
// integration. Within r it is the step's square / 12, and beyond r it is the squared distance to r.
template <typename Density>
double int8_error(Density density, double r) {
  const double step = r / 127;
  double inside = 0, beyond = 0;
  constexpr double kDx = 1e-3;
  for (double x = kDx / 2; x < 40; x += kDx) {
    if (x < r + step / 2) inside += density(x) * kDx;
    else beyond += density(x) * (x - r) * (x - r) * kDx;
  }
  return 2 * (inside * step * step / 12 + beyond);
}

template <typename Density>
double best_int8_range(Density density) {
  double best = 1;
  for (double r = 1; r < 16; r += 0.01)
    if (int8_error(density, r) < int8_error(density, best)) best = r;
  return best;
}

TEST(Distributions, MseFindsTheOptimumOfInt8) {
  const auto normal = [](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * M_PI); };
  const auto laplace = [](double x) { return std::exp(-x) / 2; };
  const double normal_best = best_int8_range(normal);
  const double laplace_best = best_int8_range(laplace);
  EXPECT_NEAR(normal_best, 3.9, 0.1);   // 3.92 sigma: ACIQ, arXiv 1810.05723
  EXPECT_NEAR(laplace_best, 9.9, 0.2);  // 9.89 b
  const auto mse = [](const std::vector<float>& values) {
    return static_cast<double>(range(Observer::mse, of_values(values), Format::int8));
  };
  EXPECT_NEAR(mse(gaussian()), normal_best, 0.15);
  EXPECT_LT(int8_error(laplace, mse(laplacian())), 1.08 * int8_error(laplace, laplace_best));
  EXPECT_NEAR(mse(uniform()), 1.0, 0.01);
}

TEST(Distributions, MseKeepsOutliersInFp8AndClipsThemInInt8) {
  const std::vector<float> values = with_outliers();
  const SiteStatistics s = of_values(values);
  for (const FormatInfo& f : all_formats()) {
    const float r = range(Observer::mse, s, f.id);
    // The histogram assumes that the values of a bin are spread evenly. The few outliers that make
    // up most of the signal here are not, which moves FP8's optimum by up to a decibel.
    EXPECT_GE(sqnr_db(values, f.id, r), sqnr_db(values, f.id, s.absmax()) - 1) << f.name;
    const double share = r / s.absmax();
    EXPECT_EQ(share < 0.9, f.integer) << f.name << ": " << share;
  }
}

class EveryFormat : public testing::TestWithParam<FormatInfo> {};
INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat,
                         testing::ValuesIn(all_formats().begin(), all_formats().end()),
                         [](const auto& format) { return std::string(format.param.name); });

TEST_P(EveryFormat, PercentileOfAUniformDistribution) {
  const SiteStatistics s = of_values(uniform());
  for (const double p : {50.0, 75.0, 99.0, 99.99}) {
    const auto r = static_cast<double>(range({Observer::percentile, p}, s, GetParam().id));
    EXPECT_GE(r, p / 100 - 0.005);
    EXPECT_LE(r, std::min(1.0, p / 100 * 1.125 + 0.005));
  }
}

TEST_P(EveryFormat, StandardDeviations) {
  const Format f = GetParam().id;
  EXPECT_NEAR(range({Observer::std, 6}, of_values(gaussian()), f), 6.0, 0.05);
  EXPECT_NEAR(range({Observer::std, 3}, of_values(uniform()), f), 3 / std::sqrt(3.0), 0.02);
  std::vector<float> shifted = gaussian();
  for (float& x : shifted) x = 0.5f * x - 10.0f;
  EXPECT_NEAR(range({Observer::std, 4}, of_values(shifted), f), 10.0 + 4 * 0.5, 0.02);
}

TEST_P(EveryFormat, MovingAverageOfGroups) {
  SiteStatistics s;
  s.observe(std::vector<float>{-1.0f, 4.0f}, 0, 0);
  s.observe(std::vector<float>{-8.0f, 2.0f}, 0, 1);
  s.observe(std::vector<float>{0.5f}, 0, 3);  // group 2 saw nothing
  // The maximum goes 4 -> 0.9 * 4 + 0.1 * 2 = 3.8 -> 3.47. The minimum goes -1 -> -1.7 -> 0.9 *
  // -1.7 + 0.05 = -1.48.
  EXPECT_NEAR(range({Observer::ema, 0.9}, s, GetParam().id), 3.47, 1e-6);
  EXPECT_NEAR(range({Observer::ema, 0}, s, GetParam().id), 0.5, 1e-6);
}

// The grid assumes that values are spread evenly, so clipping them gains nothing.
TEST_P(EveryFormat, EntropyKeepsAUniformDistribution) {
  EXPECT_GT(range(Observer::entropy, of_values(uniform()), GetParam().id), 0.98f);
}

TEST_P(EveryFormat, EntropyWeighsShapeNotDistance) {
  const SiteStatistics s = of_values(with_outliers());
  const float r = range(Observer::entropy, s, GetParam().id);
  EXPECT_GT(r, 2.5f);
  EXPECT_LE(r, s.absmax());
  // A step of a 127th of absmax is an eighth of a sigma or more, so INT8 gives up the outliers.
  if (GetParam().integer) {
    EXPECT_LT(r, 0.5f * s.absmax());
  }
}

TEST_P(EveryFormat, UnitAndFixedNeedNoValues) {
  constexpr double kDeviations = 4;
  Prediction p{{1.0f, -3.0f}, {0.5f, 0.25f}};
  const SiteStatistics nothing;
  EXPECT_EQ(range({Observer::unit, kDeviations}, {nothing, &p}, GetParam().id), 4.0f);
  p.function = [](double x) { return x > 0 ? x : 0; };
  EXPECT_EQ(range({Observer::unit, kDeviations}, {nothing, &p}, GetParam().id), 3.0f);
  EXPECT_EQ(range({Observer::fixed, 2.5}, nothing, GetParam().id), 2.5f);
}

}  // namespace
}  // namespace fp8q::test
