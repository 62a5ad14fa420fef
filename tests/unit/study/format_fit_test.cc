#include "study/format_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace fp8q {
namespace {

using testing::HasSubstr;

std::vector<float> drawn(size_t count, float outlier, size_t every) {
  std::mt19937_64 random(11);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(normal(random) * (every && i % every == 0 ? outlier : 1.0f));
  return values;
}

SiteStatistics statistics_of(const std::vector<float>& values) {
  SiteStatistics statistics;
  statistics.observe(values, 0, 0);
  return statistics;
}

double sqnr_of(const FormatFit& fit, std::string_view name) {
  for (size_t f = 0; f < study_formats().size(); ++f)
    if (study_formats()[f].name == name) return fit.sqnr_db[f];
  return NAN;
}

TEST(Distribution, MomentsOfKnownDistributions) {
  const Distribution normal = distribution_of(statistics_of(drawn(200000, 1, 0)));
  EXPECT_NEAR(normal.kurtosis, 3, 0.1);
  EXPECT_NEAR(normal.std, 1, 0.01);
  EXPECT_NEAR(normal.outlier_ratio, normal.absmax, 0.05);
  EXPECT_EQ(normal.beyond_6_rms, 0);
  // 1 % of a normal distribution lies within 0.01253 of zero.
  EXPECT_NEAR(normal.dynamic_range_db, 20 * std::log10(normal.absmax / 0.01253), 1.2);

  std::vector<float> even;
  for (int i = 1; i <= 100000; ++i) even.push_back(static_cast<float>(i) / 100000 * 4);
  const Distribution uniform = distribution_of(statistics_of(even));
  EXPECT_NEAR(uniform.kurtosis, 1.8, 0.01);
  EXPECT_NEAR(uniform.outlier_ratio, std::sqrt(3.0), 0.01);
  EXPECT_NEAR(uniform.dynamic_range_db, 40, 1.2);

  // One value in 500 is 40 times as large: about a third of the mean square.
  const Distribution tails = distribution_of(statistics_of(drawn(200000, 40, 500)));
  EXPECT_GT(tails.kurtosis, 100);
  EXPECT_GT(tails.beyond_6_rms, 0.0005);
  EXPECT_LT(tails.beyond_6_rms, 0.002);
}

TEST(Distribution, OfZerosIsZero) {
  const FormatFit fit = fit_of_statistics(statistics_of({0, 0, 0}));
  EXPECT_EQ(fit.distribution.outlier_ratio, 0);
  EXPECT_EQ(fit.distribution.kurtosis, 0);
  EXPECT_TRUE(std::isinf(fit.sqnr_db[fit.best]));
  EXPECT_THAT(fit.reason, HasSubstr("only zeros"));
}

// The SQNR of E4M3 hardly depends on outliers, and that of INT8 collapses.
TEST(FormatFit, OutliersDecide) {
  const FormatFit bell = fit_of_statistics(statistics_of(drawn(100000, 1, 0)));
  EXPECT_NEAR(sqnr_of(bell, "e4m3"), 31.6, 0.5);
  EXPECT_NEAR(sqnr_of(bell, "int8"), 40.3, 1.0);
  EXPECT_TRUE(bell.best_format().name == "e2m5" || bell.best_format().name == "int8");
  const FormatFit tails = fit_of_statistics(statistics_of(drawn(100000, 40, 500)));
  EXPECT_NEAR(sqnr_of(tails, "e4m3"), 32.2, 1.0);
  EXPECT_LT(sqnr_of(tails, "int8"), 20);
  EXPECT_NE(tails.best_format().name, "int8");
  EXPECT_THAT(tails.reason, HasSubstr("outliers"));
  EXPECT_THAT(tails.reason, HasSubstr("dB ahead"));
}

TEST(FormatFit, HistogramAgreesWithTheValues) {
  // The outliers make nearly all of the error of formats with an exponent. With 5,000 of them its
  // mean square scatters by about 0.1 dB.
  const std::vector<float> values = drawn(100000, 20, 20);
  const FormatFit estimated = fit_of_statistics(statistics_of(values));
  const FormatFit measured = fit_of_weight(Tensor::of<float>({100000}, values), std::nullopt);
  for (size_t f = 0; f < estimated.sqnr_db.size(); ++f)
    EXPECT_NEAR(estimated.sqnr_db[f], measured.sqnr_db[f], 0.4) << study_formats()[f].name;
  EXPECT_DOUBLE_EQ(estimated.distribution.kurtosis, measured.distribution.kurtosis);
}

TEST(FormatFit, ChannelScalesTakeAwayTheDifferenceBetweenChannels) {
  // There are two output channels, evenly spread, one 1000 times as large.
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(static_cast<float>(i - 500));
    values.push_back(static_cast<float>((i * 7) % 1000 - 500) / 1000);
  }
  const Tensor weight = Tensor::of<float>({1000, 2}, values);
  const FormatFit together = fit_of_weight(weight, std::nullopt);
  const FormatFit apart = fit_of_weight(weight, 1);
  EXPECT_EQ(apart.best_format().name, "int8");
  EXPECT_NEAR(apart.distribution.outlier_ratio, std::sqrt(3.0), 0.02);
  EXPECT_GT(together.distribution.kurtosis, apart.distribution.kurtosis);
  EXPECT_EQ(together.distribution.absmax, 500);
  EXPECT_EQ(apart.distribution.absmax, 500);
  EXPECT_GE(sqnr_of(apart, "int8"), sqnr_of(together, "int8"));
}

}  // namespace
}  // namespace fp8q
