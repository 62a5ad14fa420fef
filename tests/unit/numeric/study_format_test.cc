#include "numeric/study_format.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <set>
#include <vector>

namespace fp8q {
namespace {

const StudyFormat& named(std::string_view name) {
  for (const StudyFormat& f : study_formats())
    if (f.name == name) return f;
  ADD_FAILURE() << name;
  return study_formats()[0];
}

float rounded(const StudyFormat& format, float x) {
  round_values(format, 1, {&x, 1});
  return x;
}

// Returns every positive value of a format with E exponent and M mantissa bits, from its codes.
std::set<float> values_of(int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  std::set<float> values;
  for (int code = 0; code < 127; ++code) {  // 127 is NaN
    const int exponent = code >> mantissa_bits, mantissa = code & ((1 << mantissa_bits) - 1);
    const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissa_bits);
    values.insert(std::ldexp(static_cast<float>(whole),
                             (exponent == 0 ? 1 : exponent) - bias - mantissa_bits));
  }
  return values;
}

TEST(StudyFormat, TheNarrowSplitsHaveTheValuesOfTheirCodes) {
  const struct {
    const char* name;
    int exponent_bits, mantissa_bits;
  } cases[] = {{"e2m5", 2, 5}, {"e3m4", 3, 4}, {"e4m3", 4, 3}};
  for (const auto& c : cases) {
    const StudyFormat& format = named(c.name);
    const std::set<float> values = values_of(c.exponent_bits, c.mantissa_bits);
    EXPECT_EQ(format.largest, *values.rbegin());
    float below = -1;
    for (const float v : values) {
      EXPECT_EQ(rounded(format, v), v) << c.name;
      EXPECT_EQ(rounded(format, -v), -v) << c.name;
      if (below >= 0) {
        // A value half way goes to the even code, and a value a little off it to the nearer
        // neighbor.
        const float middle = (below + v) / 2;
        EXPECT_EQ(rounded(format, std::nextafter(middle, 0.0f)), below) << c.name << " " << v;
        EXPECT_EQ(rounded(format, std::nextafter(middle, 1e9f)), v) << c.name << " " << v;
        const auto step = v - below;
        const float even = std::fmod(below / step, 2.0f) == 0 ? below : v;
        EXPECT_EQ(rounded(format, middle), even) << c.name << " " << v;
      }
      below = v;
    }
    EXPECT_EQ(rounded(format, 2 * format.largest), format.largest);
    EXPECT_EQ(rounded(format, -INFINITY), -format.largest);
    EXPECT_TRUE(std::isnan(rounded(format, NAN)));
  }
}

TEST(StudyFormat, FormatsOfConversionRoundAsTheirCodecs) {
  std::mt19937 random(5);
  for (const FormatInfo& f : all_formats()) {
    const StudyFormat& format = study_format(f.id);
    EXPECT_EQ(format.largest, f.largest);
    EXPECT_EQ(format_of(format), f.id);
    for (const float scale : {1.0f, 0.037f, 3e-5f, 1234.5f}) {
      std::vector<float> x;
      for (int i = 0; i < 100000; ++i) {  // all magnitudes, and those the format resolves
        const float any = std::bit_cast<float>(static_cast<uint32_t>(random()));
        if (!std::isnan(any)) x.push_back(any);
        x.push_back((static_cast<float>(random()) / 4e9f - 0.5f) * 3 * f.largest * scale);
        x.push_back(x.back() * 1e-3f);
      }
      std::vector<float> expected;
      for (const float v : x) expected.push_back(decode(f.id, encode(f.id, v, scale)) * scale);
      round_values(format, scale, x);
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(x[i], expected[i]) << f.name << " scale " << scale << " index " << i;
    }
  }
}

TEST(StudyFormat, ScalesFollowTheOneRule) {
  for (const FormatInfo& f : all_formats())
    for (const float absmax : {0.0f, 1e-30f, 0.7f, 12345.0f})
      EXPECT_EQ(scale_for(study_format(f.id), absmax), scale_for(f.id, absmax));
  const StudyFormat& e3m4 = named("e3m4");
  EXPECT_NEAR(scale_for(e3m4, 3.0f), 0.1f, 1e-4f);
}

// These are the expected SQNRs with absmax scales: a uniform distribution favors INT8, Gaussian
// values favor E2M5 or INT8, and heavy tails favor more exponent bits (arXiv 2303.17951).
TEST(StudyFormat, OutliersDecideWhichSplitFits) {
  const auto best = [](const std::vector<float>& values) {
    float absmax = 0;
    for (const float v : values) absmax = std::max(absmax, std::fabs(v));
    std::string_view winner;
    double least = INFINITY;
    for (const StudyFormat& format : study_formats()) {
      std::vector<float> x = values;
      round_values(format, scale_for(format, absmax), x);
      double noise = 0;
      for (size_t i = 0; i < x.size(); ++i)
        noise += std::pow(static_cast<double>(x[i] - values[i]), 2);
      if (noise < least) winner = format.name;
      least = std::min(least, noise);
    }
    return winner;
  };
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> flat, bell, tails;
  for (int i = 0; i < 20000; ++i) {
    flat.push_back(uniform(random));
    bell.push_back(normal(random));
    tails.push_back(normal(random) * (i % 500 == 0 ? 40.0f : 1.0f));
  }
  EXPECT_EQ(best(flat), "int8");
  EXPECT_TRUE(best(bell) == "e2m5" || best(bell) == "int8") << best(bell);
  EXPECT_TRUE(best(tails) == "e3m4" || best(tails) == "e4m3") << best(tails);
}

}  // namespace
}  // namespace fp8q
