// Tests the law of each observer on every format.
#include "calibrate/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/calibrate/random_values.h"

namespace fp8q::test {
namespace {

double squared_error(const std::vector<float>& values, Format format, float range) {
  const float scale = scale_for(format, range);
  double sum = 0;
  for (const float x : values) {
    const double d = static_cast<double>(x) -
                     static_cast<double>(decode(format, encode(format, x, scale)) * scale);
    sum += d * d;
  }
  return sum;
}

TEST(Observer, NamesAndRows) {
  for (const ObserverInfo& o : all_observers()) EXPECT_EQ(observer_named(o.name), o.id);
  EXPECT_EQ(observer_named("median"), std::nullopt);
  EXPECT_EQ(info(Observer::absmax).name, "absmax");
}

TEST(Observer, EveryObserverServesEveryFormat) {
  const SiteStatistics s = of_values(random_values(20'000, 2));
  for (const ObserverInfo& o : all_observers())
    for (const FormatInfo& f : all_formats()) {
      if (!needs_statistics(o.id)) continue;
      const float r = range(o.id, s, f.id);
      EXPECT_GT(r, 0.0f) << o.name << " " << f.name;
      EXPECT_LE(r, 1.2f * s.absmax()) << o.name << " " << f.name;
      EXPECT_EQ(ObserverChoice::parse(ObserverChoice(o.id).text(), ""), ObserverChoice(o.id));
      EXPECT_EQ(range(o.id, SiteStatistics{}, f.id), 0.0f) << o.name;
      EXPECT_EQ(range(o.id, of_values({0, 0}), f.id), 0.0f) << o.name;
    }
}

TEST(Observer, AbsmaxIsTheLargestMagnitude) {
  EXPECT_EQ(range(Observer::absmax, of_values({1, -7, 3}), Format::e4m3), 7.0f);
}

TEST(Observer, PercentileIsTheEdgeOfItsBin) {
  std::vector<float> values = random_values(100'000, 3);
  const SiteStatistics s = of_values(values);
  std::ranges::sort(values, {}, [](float x) { return std::fabs(x); });
  for (const double p : {50.0, 99.0, 99.9, 99.99}) {
    const auto rank = static_cast<size_t>(std::ceil(p / 100 * 100'000));
    const float exact = std::fabs(values[rank - 1]);
    const float r = range({Observer::percentile, p}, s, Format::int8);
    EXPECT_GE(r, exact);
    EXPECT_LE(r, exact * 1.125f);
  }
  EXPECT_EQ(range({Observer::percentile, 100}, s, Format::int8), s.absmax());
}

TEST(Observer, ExpectedErrorIsNearTheTrueOne) {
  const std::vector<float> values = random_values(200'000, 4);
  const SiteStatistics s = of_values(values);
  for (const FormatInfo& f : all_formats())
    for (const float share : {0.2f, 1.0f}) {
      const double truth = squared_error(values, f.id, share * s.absmax());
      const ExpectedError e = expected_error(s, f.id, share * s.absmax());
      // A few outliers make much of the error, and their places in their bins are not known.
      EXPECT_NEAR(e.noise / truth, 1.0, 0.1) << f.name << " " << share;
      EXPECT_NEAR(e.signal / s.sum_of_squares(), 1.0, 0.02);
    }
}

TEST(Observer, MseIsNoWorseThanAbsmax) {
  const std::vector<float> values = random_values(50'000, 6);
  const SiteStatistics s = of_values(values);
  for (const FormatInfo& f : all_formats()) {
    const double mse = squared_error(values, f.id, range(Observer::mse, s, f.id));
    EXPECT_LE(mse, 1.02 * squared_error(values, f.id, s.absmax())) << f.name;
  }
  // INT8 gains by clipping outliers of 50 sigma.
  EXPECT_LT(range(Observer::mse, s, Format::int8), 0.95f * s.absmax());
}

}  // namespace
}  // namespace fp8q::test
