#include "evaluate/score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "evaluate/label_evaluator.h"

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

// Returns a run whose single output per example is `logits`.
RunResult run_with_logits(const std::vector<std::vector<float>>& logits) {
  RunResult run;
  run.outputs = {{"logits", false, static_cast<int64_t>(logits.front().size())}};
  for (const auto& row : logits) run.examples.push_back({row});
  return run;
}

std::vector<Example> examples_with(const std::vector<double>& gold) {
  std::vector<Example> examples;
  for (const double g : gold) examples.push_back({"text", std::nullopt, g});
  return examples;
}

TEST(Predict, TakesTheLargestLogitInTheOrderOfTheTask) {
  const RunResult run = run_with_logits({{2, 1}, {0, 3}, {1, 1}});
  EXPECT_THAT(predict(require_task("sst2"), {{0, 1}, ""}, run, 0).values, ElementsAre(0, 1, 0));
  EXPECT_THAT(predict(require_task("sst2"), {{1, 0}, ""}, run, 0).values, ElementsAre(1, 0, 0));
}

TEST(Predict, GivesTheNumberOfARegressionModel) {
  EXPECT_THAT(predict(require_task("stsb"), {{0}, ""}, run_with_logits({{2.5}, {-1}}), 0).values,
              ElementsAre(2.5, -1));
}

TEST(Predict, RefusesLogitsThatAreNotFinite) {
  try {
    predict(require_task("sst2"), {{0, 1}, ""}, run_with_logits({{0, 1}, {0, NAN}}), 0);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_model);
    EXPECT_THAT(e.what(), HasSubstr("example 1"));
  }
}

TEST(AnsweringIndex, IsOfTheNamedOutputOrTheFirstPerExample) {
  RunResult run = run_with_logits({{0, 1}});
  run.outputs.insert(run.outputs.begin(), {{"hidden", true, 8}, {"pooled", false, 8}});
  EXPECT_EQ(answering_index(run, ""), 1u);
  EXPECT_EQ(answering_index(run, "logits"), 2u);
  EXPECT_THROW(answering_index(run, "hidden"), Error);
  EXPECT_THROW(answering_index(run, "other"), Error);
}

// Returns the score of `values`, a model's answers to `task`.
Scored scored(const char* task, const std::vector<Example>& examples,
              const std::vector<double>& values) {
  std::vector<std::vector<float>> logits;
  const Task& t = require_task(task);
  for (const double value : values) {
    logits.emplace_back(t.outputs(), 0.0f);
    if (t.is_regression()) logits.back()[0] = static_cast<float>(value);
    else logits.back()[static_cast<size_t>(value)] = 1;
  }
  const LabelEvaluator evaluator(t, examples);
  ModelConfig config;
  config.path = "config.json";  // without labels: they have the task's order
  return score_answers(evaluator, examples.size(),
                       evaluator.answers({}, run_with_logits(logits), config), 1);
}

TEST(ScoreAnswers, GivesTheScoreWithItsInterval) {
  std::vector<double> gold(400, 1), values(400, 1);
  std::fill(values.begin(), values.begin() + 40, 0);
  const Scored s = scored("sst2", examples_with(gold), values);
  EXPECT_DOUBLE_EQ(s.score.score, 90);
  EXPECT_EQ(s.answers.values, values);
  // The standard error of a share of 0.9 among 400 is 1.5 points.
  EXPECT_NEAR(s.ci95.low, 90 - 1.96 * 1.5, 0.6);
  EXPECT_NEAR(s.ci95.high, 90 + 1.96 * 1.5, 0.6);
  ASSERT_EQ(s.metrics_ci95.size(), 1u);
  EXPECT_DOUBLE_EQ(s.metrics_ci95[0].low, s.ci95.low / 100);
}

TEST(ScoreAnswers, GivesEveryMetricItsInterval) {
  const Scored s =
      scored("mrpc", examples_with({1, 1, 1, 0, 0, 0, 1, 1}), {1, 1, 0, 0, 1, 0, 1, 1});
  ASSERT_EQ(s.metrics_ci95.size(), 2u);
  for (size_t m = 0; m < 2; ++m) {
    EXPECT_LT(s.metrics_ci95[m].low, s.score.metrics[m].second);
    EXPECT_GE(s.metrics_ci95[m].high, s.score.metrics[m].second);
  }
}

TEST(Compare, ListsFlipsAndTestsAccuracyExactly) {
  const auto examples = examples_with({1, 1, 1, 1, 0, 0, 0, 0});
  const Scored baseline = scored("sst2", examples, {1, 1, 1, 1, 0, 0, 0, 1});
  const Scored tested = scored("sst2", examples, {1, 0, 0, 1, 0, 0, 0, 0});
  const Difference d = compare(tested, baseline);
  EXPECT_DOUBLE_EQ(d.score, 100.0 * (6 - 7) / 8);
  EXPECT_THAT(d.flips, Optional(ElementsAre(1, 2, 7)));  // two lost, one gained
  EXPECT_EQ(d.test, "mcnemar-exact");
  EXPECT_DOUBLE_EQ(d.p_value, mcnemar_exact(1, 2));
  EXPECT_LE(d.ci95.low, d.score);
  EXPECT_GE(d.ci95.high, d.score);
}

TEST(Compare, BootstrapsOtherMetrics) {
  const auto examples = examples_with({1, 2, 3, 4, 5});
  const Scored exact = scored("stsb", examples, {1, 2, 3, 4, 5});
  const Scored noisy = scored("stsb", examples, {1, 3, 2, 5, 4});
  const Difference d = compare(noisy, exact);
  EXPECT_EQ(d.test, "paired-bootstrap");
  EXPECT_LT(d.score, 0);
  EXPECT_EQ(d.flips, std::nullopt) << "numbers differ without a flip";
}

TEST(Compare, FlipsBetweenTwoWrongClassesAreListedAndDecideNothing) {
  const auto examples = examples_with({0, 1, 2});
  const Scored baseline = scored("mnli", examples, {1, 1, 2});
  const Scored tested = scored("mnli", examples, {2, 1, 2});
  const Difference d = compare(tested, baseline);
  EXPECT_THAT(d.flips, Optional(ElementsAre(0)));
  EXPECT_EQ(d.p_value, 1);
}

}  // namespace
}  // namespace fp8q
