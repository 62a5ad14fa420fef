#include "evaluate/significance.h"

#include <gtest/gtest.h>

#include <numeric>

namespace fp8q {
namespace {

TEST(McNemar, IsTheExactBinomialTest) {
  EXPECT_EQ(mcnemar_exact(0, 0), 1.0);
  EXPECT_EQ(mcnemar_exact(5, 5), 1.0);
  // The p-value is 2 * (C(8,0) + C(8,1)) / 2^8.
  EXPECT_NEAR(mcnemar_exact(1, 7), 2 * (1 + 8) / 256.0, 1e-12);
  EXPECT_EQ(mcnemar_exact(1, 7), mcnemar_exact(7, 1));
  // 2 / 2^2000 underflows; the result must be a tiny number, not NaN.
  EXPECT_GE(mcnemar_exact(0, 2000), 0.0);
  EXPECT_LT(mcnemar_exact(0, 2000), 1e-300);
}

// Scores by the share of right answers.
ScoreOf accuracy(std::vector<int> right) {
  return [right = std::move(right)](std::span<const uint32_t> examples) {
    double sum = 0;
    for (const uint32_t e : examples) sum += right[e];
    return sum / static_cast<double>(examples.size());
  };
}

BootstrapResult bootstrap(size_t examples, const ScoreOf& tested, const ScoreOf& baseline,
                          uint64_t seed) {
  return paired_bootstrap(bootstrap_scores(examples, tested, seed),
                          bootstrap_scores(examples, baseline, seed));
}

TEST(Bootstrap, EqualModelsDoNotDiffer) {
  const std::vector<int> right = {1, 0, 1, 1};
  const auto result = bootstrap(4, accuracy(right), accuracy(right), 1);
  EXPECT_EQ(result.ci95.low, 0);
  EXPECT_EQ(result.ci95.high, 0);
  EXPECT_EQ(result.p_value, 1);
}

TEST(Bootstrap, FindsAClearDifferenceAndItsSize) {
  // There are 400 examples. The tested model misses 40 that the baseline gets right, so the
  // standard error of the difference is sqrt(0.1 * 0.9 / 400) = 0.015.
  std::vector<int> baseline(400, 1), tested(400, 1);
  std::fill(tested.begin(), tested.begin() + 40, 0);
  const auto result = bootstrap(400, accuracy(tested), accuracy(baseline), 1);
  EXPECT_NEAR(result.ci95.low, -0.1 - 1.96 * 0.015, 0.006);
  EXPECT_NEAR(result.ci95.high, -0.1 + 1.96 * 0.015, 0.006);
  EXPECT_EQ(result.p_value, 0);
}

TEST(Bootstrap, SamplesOfOneSeedAreTheSameForEveryScore) {
  std::vector<std::vector<uint32_t>> first, second;
  const auto recording = [](std::vector<std::vector<uint32_t>>& samples) {
    return [&](std::span<const uint32_t> sample) {
      samples.emplace_back(sample.begin(), sample.end());
      return 0.0;
    };
  };
  bootstrap_scores(20, recording(first), 3);
  bootstrap_scores(20, recording(second), 3);
  EXPECT_EQ(first.size(), size_t{kBootstrapRounds});
  EXPECT_EQ(first, second);
}

TEST(Bootstrap, IntervalLeavesTwoAndAHalfPercentOnEachSide) {
  std::vector<double> scores(1001);
  std::iota(scores.rbegin(), scores.rend(), 0.0);
  const Interval interval = percentile_interval(scores);
  EXPECT_EQ(interval.low, 25);
  EXPECT_EQ(interval.high, 975);
}

TEST(Bootstrap, IsRepeatable) {
  const auto run = [](uint64_t seed) {
    return bootstrap(
        50, accuracy(std::vector<int>(50, 1)),
        [](std::span<const uint32_t> e) { return double(e[0] % 3); }, seed);
  };
  EXPECT_EQ(run(7).ci95.low, run(7).ci95.low);
  EXPECT_EQ(run(7).p_value, run(7).p_value);
}

}  // namespace
}  // namespace fp8q
