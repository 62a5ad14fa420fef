#include "tasks/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fp8q/error.h"

namespace fp8q {
namespace {

using Values = std::vector<double>;

double value(MetricKind kind, const Values& gold, const Values& predicted) {
  return metric(kind, gold, predicted);
}

// These cases were worked by hand: tp 2, tn 1, fp 1, fn 2.
const Values kGold = {1, 1, 1, 1, 0, 0};
const Values kGuess = {1, 1, 0, 0, 1, 0};

TEST(Metrics, Classification) {
  EXPECT_DOUBLE_EQ(value(MetricKind::accuracy, kGold, kGuess), 0.5);
  EXPECT_DOUBLE_EQ(value(MetricKind::f1, kGold, kGuess), 4.0 / 7);
  EXPECT_DOUBLE_EQ(value(MetricKind::mcc, kGold, kGuess), (2.0 * 1 - 1.0 * 2) / std::sqrt(72.0));
  EXPECT_DOUBLE_EQ(value(MetricKind::mcc, kGold, kGold), 1);
  EXPECT_DOUBLE_EQ(value(MetricKind::mcc, {1, 0}, {0, 1}), -1);
  EXPECT_DOUBLE_EQ(value(MetricKind::accuracy, {0, 1, 2}, {0, 2, 2}), 2.0 / 3);
}

TEST(Metrics, MacroF1IsTheMeanOverTheClassesThatOccur) {
  // F1 of class 0 is 2 / 2, of class 1 it is 0 / 1, and of class 2 it is 2 / 3. Class 3 occurs
  // nowhere.
  EXPECT_DOUBLE_EQ(value(MetricKind::macro_f1, {0, 1, 2}, {0, 2, 2}), (1 + 0 + 2.0 / 3) / 3);
  EXPECT_DOUBLE_EQ(value(MetricKind::macro_f1, kGold, kGuess), (4.0 / 7 + 2.0 / 5) / 2);
}

TEST(Metrics, MatthewsCorrelationOfSeveralClasses) {
  // This case was worked by hand: 4 of 6 are right; gold has 2, 2, 2 of each class, the guesses 3,
  // 1, 2.
  const Values gold = {0, 0, 1, 1, 2, 2};
  const Values guess = {0, 0, 0, 1, 2, 1};
  EXPECT_DOUBLE_EQ(value(MetricKind::mcc, gold, guess),
                   (6 * 4.0 - (2 * 3 + 2 * 2 + 2 * 1)) / std::sqrt((36.0 - 12) * (36 - 14)));
  EXPECT_DOUBLE_EQ(value(MetricKind::mcc, gold, gold), 1);
  EXPECT_EQ(value(MetricKind::mcc, gold, {2, 2, 2, 2, 2, 2}), 0);
  // A class that only the model knows counts as one.
  EXPECT_DOUBLE_EQ(value(MetricKind::mcc, {0, 0, 1, 1}, {0, 2, 1, 1}),
                   (4 * 3.0 - (2 * 1 + 2 * 2)) / std::sqrt((16.0 - 8) * (16 - 6)));
}

TEST(Metrics, DegenerateClassificationGivesZero) {
  EXPECT_EQ(value(MetricKind::f1, {0, 0}, {0, 0}), 0);
  EXPECT_EQ(value(MetricKind::mcc, {1, 0, 1}, {1, 1, 1}), 0);
  EXPECT_EQ(value(MetricKind::mcc, {1, 1}, {1, 1}), 0);
}

TEST(Metrics, Correlation) {
  const Values x = {1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(value(MetricKind::pearson, x, {2, 4, 6, 8}), 1);
  EXPECT_DOUBLE_EQ(value(MetricKind::pearson, x, {4, 3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(value(MetricKind::spearman, x, {1, 10, 100, 1e300}), 1);
  // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4 give 4.5 / sqrt(5 * 4.5).
  EXPECT_DOUBLE_EQ(value(MetricKind::spearman, x, {0, 7, 7, 9}), 4.5 / std::sqrt(5 * 4.5));
  EXPECT_EQ(value(MetricKind::pearson, x, {0.1, 0.1, 0.1, 0.1}), 0);
  EXPECT_EQ(value(MetricKind::spearman, {3}, {4}), 0);
}

TEST(Metrics, UnusableInputIsRefused) {
  EXPECT_THROW(value(MetricKind::accuracy, {}, {}), Error);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(value(MetricKind::spearman, {1, 2}, {1, nan}), Error);
}

TEST(Metrics, GlueScoreIsTheMeanOfTheTasksMetrics) {
  const TaskScore score = score_task(require_task("mrpc"), kGold, kGuess);
  ASSERT_EQ(score.metrics.size(), 2u);
  EXPECT_EQ(score.metrics[1].first, "f1");
  EXPECT_DOUBLE_EQ(score.score, 100 * (0.5 + 4.0 / 7) / 2);
}

}  // namespace
}  // namespace fp8q
