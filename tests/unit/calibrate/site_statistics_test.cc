// Tests the laws of SiteStatistics: exact, mergeable in any order, independent of batching.
#include "calibrate/site_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>

#include "base/error.h"
#include "tests/unit/calibrate/random_values.h"

namespace fp8q::test {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(SiteStatistics, CountsExtremesAndZeros) {
  const SiteStatistics s = of_values({-0.0f, 3.0f, 0.0f, -5.0f, 1e-42f, kInf, kNan, -kInf, -kNan});
  EXPECT_EQ(s.count(), 5u);
  EXPECT_EQ(s.zeros(), 2u);
  EXPECT_EQ(s.nonfinite(), 4u);
  EXPECT_EQ(s.min(), -5.0f);
  EXPECT_EQ(s.max(), 3.0f);
  EXPECT_EQ(s.absmax(), 5.0f);
  EXPECT_EQ(std::accumulate(s.histogram().begin(), s.histogram().end(), uint64_t{0}), 3u);
}

TEST(SiteStatistics, NothingSeen) {
  const SiteStatistics empty;
  EXPECT_EQ(empty.absmax(), 0.0f);
  EXPECT_EQ(empty.mean(), 0.0);
  EXPECT_EQ(empty.stddev(), 0.0);
  const SiteStatistics none = of_values({kNan, kInf});
  EXPECT_EQ(none.count(), 0u);
  EXPECT_EQ(none.absmax(), 0.0f);
  EXPECT_EQ(none.nonfinite(), 2u);
  EXPECT_EQ(none.moving_range(0.95), (SiteStatistics::Range{0, 0}));
}

TEST(SiteStatistics, EveryMagnitudeHasItsBin) {
  for (size_t bin = 0; bin < SiteStatistics::kBins; ++bin) {
    const float low = SiteStatistics::bin_lower(bin);
    const float high = std::bit_cast<float>((static_cast<uint32_t>(bin + 1) << 20) - 1);
    const SiteStatistics s = of_values({-high, bin == 0 ? 1e-45f : low});
    ASSERT_EQ(s.histogram()[bin], 2u) << bin;
    ASSERT_EQ(s.absmax(), high);
  }
}

// The sums are compared with sums formed in another way: exact fixed-point for values on a grid,
// long double for all.
TEST(SiteStatistics, SumsAreExact) {
  std::mt19937 random(5);
  std::vector<float> grid(100'000);
  int64_t sum = 0;
  int64_t squares = 0;
  for (float& x : grid) {
    const auto i = static_cast<int64_t>(random() % 200'001) - 100'000;
    x = static_cast<float>(i) / 1024.0f;
    sum += i;
    squares += i * i;
  }
  const SiteStatistics s = of_values(grid);
  EXPECT_EQ(s.mean(), static_cast<double>(sum) / 1024 / 100'000);
  EXPECT_EQ(s.sum_of_squares(), static_cast<double>(squares) / 1024 / 1024);

  const std::vector<float> wide = random_values(50'000, 11);
  long double reference = 0;
  long double reference_squares = 0;
  for (const float x : wide) {
    reference += static_cast<long double>(x);
    reference_squares += static_cast<long double>(x) * static_cast<long double>(x);
  }
  const SiteStatistics w = of_values(wide);
  const auto mean = static_cast<double>(reference / 50'000);
  EXPECT_NEAR(w.mean(), mean, 1e-13 * w.absmax());
  EXPECT_NEAR(w.sum_of_squares() / static_cast<double>(reference_squares), 1.0, 1e-14);
}

TEST(SiteStatistics, MeanAndDeviation) {
  const SiteStatistics s = of_values({1.0f, 2.0f, 3.0f, 6.0f});
  EXPECT_DOUBLE_EQ(s.mean(), 3.0);
  EXPECT_DOUBLE_EQ(s.stddev(), std::sqrt(3.5));
}

TEST(SiteStatistics, ExtremeMagnitudesDoNotOverflow) {
  const float big = std::numeric_limits<float>::max();
  const SiteStatistics s = of_values(std::vector<float>(10'000, big));
  EXPECT_EQ(s.mean(), static_cast<double>(big));
  EXPECT_DOUBLE_EQ(s.sum_of_squares(),
                   10'000.0 * static_cast<double>(big) * static_cast<double>(big));
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(of_values({tiny, tiny, -tiny}).mean(), static_cast<double>(tiny) / 3);
}

TEST(SiteStatistics, ChannelsAreTheLastAxis) {
  SiteStatistics s = of_values({1, -2, 3, -4, 5, kNan}, 3);
  EXPECT_EQ(std::vector<float>(s.channel_absmax().begin(), s.channel_absmax().end()),
            (std::vector<float>{4, 5, 3}));
  s.observe(std::vector<float>{1, 2}, 2, 0);
  EXPECT_TRUE(s.channel_absmax().empty()) << "varying columns have no channels";
  s.observe(std::vector<float>{1, 2, 3}, 3, 0);
  EXPECT_TRUE(s.channel_absmax().empty());
}

TEST(SiteStatistics, GroupsGiveAMovingRange) {
  SiteStatistics s = of_values({-1, 2}, 0, 0);
  s.observe(std::vector<float>{-3, 1}, 0, 2);  // group 1 was not seen
  s.observe(std::vector<float>{-2, 4}, 0, 2);
  const auto range = s.moving_range(0.75);
  EXPECT_EQ(range.min, 0.75f * -1 + 0.25f * -3);
  EXPECT_EQ(range.max, 0.75f * 2 + 0.25f * 4);
}

struct Chunk {
  std::vector<float> values;
  size_t group;
};

// merge(a, b) must equal observe(a, then b), for any split, order and chunk size.
TEST(SiteStatistics, AnySplitAndOrderGivesTheSame) {
  std::vector<Chunk> chunks;
  for (uint32_t i = 0; i < 24; ++i) {
    chunks.push_back({random_values(8 * (1 + i * 37), i), i / 4});
    if (i % 5 == 0) chunks.back().values[i] = kNan;
  }
  SiteStatistics whole;
  for (const Chunk& c : chunks) whole.observe(c.values, 8, c.group);

  std::mt19937 random(1);
  for (int trial = 0; trial < 20; ++trial) {
    std::ranges::shuffle(chunks, random);
    std::vector<SiteStatistics> parts(1 + random() % 5);
    for (const Chunk& c : chunks) {
      const size_t rows = c.values.size() / 8;
      const size_t cut = 8 * (random() % (rows + 1));  // some in two calls
      SiteStatistics& part = parts[random() % parts.size()];
      part.observe(std::span(c.values).first(cut), 8, c.group);
      part.observe(std::span(c.values).subspan(cut), 8, c.group);
    }
    SiteStatistics merged;
    for (const SiteStatistics& part : parts) merged.merge(part);
    ASSERT_EQ(merged, whole) << trial;
  }
}

TEST(SiteStatistics, LimitsAreErrors) {
  SiteStatistics::State state;
  state.count = SiteStatistics::kMaxCount;
  SiteStatistics full = SiteStatistics::of(state);
  EXPECT_THROW(full.observe(std::vector<float>{1}, 0, 0), Error);
  EXPECT_THROW(full.merge(full), Error);
  SiteStatistics s;
  EXPECT_THROW(s.observe(std::vector<float>{1}, 0, SiteStatistics::kMaxGroups), Error);
}

}  // namespace
}  // namespace fp8q::test
