// Tests tuning with made-up scores: plans lose examples where certain Sites are quantized.
#include "study/tuning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "evaluate/label_evaluator.h"
#include "tests/support/paths.h"
#include "tests/unit/study/tiny_model.h"

namespace fp8q::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Has 100 examples, all answered right by the float model. A plan that quantizes a Site of `bad` in
// a format that is not `good` answers `wrong` of them wrong.
class FakeScorer final : public PlanScorer {
 public:
  FakeScorer() : task_(require_task("sst2")), examples_(100), evaluator_(task_, examples_) {}

  size_t examples() const override { return examples_.size(); }
  Scored float_model(const Progress& progress) override {
    if (progress) progress(1, 1);
    return scored(0);
  }
  Scored converted(const Plan& plan, const Progress&) override {
    ++conversions;
    const bool loses = std::ranges::any_of(plan.sites, [&](const SitePlan& site) {
      return site.quantized() && bad.contains(site.path) && site.format != good;
    });
    return scored(loses ? wrong : 0);
  }

  std::set<std::string> bad;
  std::optional<Format> good;
  size_t wrong = 20;
  size_t conversions = 0;

 private:
  Scored scored(size_t wrong_ones) const {
    Answers answers;
    for (size_t e = 0; e < examples_.size(); ++e) {
      answers.values.push_back(e < wrong_ones ? 1 : 0);
      answers.logits.push_back({});
    }
    judge_labels(task_, examples_, answers);
    return score_answers(evaluator_, examples_.size(), std::move(answers), 1);
  }

  Task task_;
  std::vector<Example> examples_;  // of class 0
  LabelEvaluator evaluator_;
};

class TuningTest : public testing::Test {
 protected:
  TuningTest()
      : maker_({tiny_.model, tiny_.encoder.sites, &tiny_.encoder, &tiny_.statistics}),
        request_{.recipe = &require_recipe("int8", ""), .max_drop = 1, .evaluations = 100} {}

  TuneCheckpoint checkpoint() const {
    return {folder_.path() / "tune.checkpoint", "settings", false};
  }
  TuneResult run() {
    TuneCheckpoint kept = checkpoint();
    Tuning tuning(request_, maker_, scorer_, kept, progress_);
    TuneResult result;
    run(tuning, result);
    if (result.chosen) plan_ = tuning.plan();
    return result;
  }
  void run(Tuning& tuning, TuneResult& result) {
    tuning.run({.text = {.batches = {tiny_words()}, .score = nullptr},
                .sizes = {.tokens = 8, .hidden = 32},
                .speeds =
                    [] {
                      return std::vector<ProductSpeed>{{std::nullopt, 1}, {Format::int8, 4}};
                    }},
               result);
  }
  const SitePlan& planned(const std::string& path) const {
    return *std::ranges::find(plan_.sites, path, &SitePlan::path);
  }

  TinyModel tiny_;
  PlanMaker maker_;
  TuneRequest request_;
  FakeScorer scorer_;
  ProgressCallback progress_;
  TemporaryFolder folder_;
  Plan plan_;
};

constexpr const char* kBad = "layer.1/ffn.output/input";
constexpr const char* kBadWeight = "layer.1/ffn.output/weight";

TEST_F(TuningTest, ARecipeThatDoesIsChosenAsItIs) {
  const TuneResult result = run();
  EXPECT_EQ(result.baseline, 100);
  EXPECT_EQ(result.allowed, 1);
  EXPECT_EQ(result.chosen, 0u);
  ASSERT_EQ(result.evaluations.size(), 1u);
  EXPECT_TRUE(result.evaluations[0].meets);
  EXPECT_GT(result.evaluations[0].quantized, 0u);
  EXPECT_THAT(result.fallbacks, IsEmpty());
  EXPECT_THAT(result.notes, IsEmpty());
  EXPECT_THAT(checkpoint().trials(), IsEmpty()) << "there is no harm to estimate";
  EXPECT_EQ(plan_.request.label(), "int8");
}

TEST_F(TuningTest, OnlyTheUnitThatDoesHarmFallsBack) {
  scorer_.bad = {kBad};
  const TuneResult result = run();
  ASSERT_TRUE(result.chosen);
  EXPECT_FALSE(result.evaluations.front().meets);
  EXPECT_EQ(result.evaluations.front().score, 80);
  EXPECT_EQ(result.evaluations.front().difference, -20);
  EXPECT_TRUE(result.evaluations[*result.chosen].meets);
  EXPECT_EQ(result.evaluations[*result.chosen].fallbacks, 1u);
  ASSERT_EQ(result.fallbacks.size(), 1u);
  EXPECT_EQ(result.fallbacks[0].from, "int8");
  EXPECT_EQ(result.fallbacks[0].to, "float");
  EXPECT_THAT(result.fallbacks[0].sites, ElementsAre(kBad, kBadWeight));
  EXPECT_THAT(result.notes,
              ElementsAre(HasSubstr("flatters it (one example is up to 1.00 points)")));
  EXPECT_FALSE(planned(kBad).quantized());
  EXPECT_FALSE(planned(kBadWeight).quantized());
  EXPECT_TRUE(planned("layer.0/ffn.output/input").quantized());
  EXPECT_THAT(planned(kBad).reason, HasSubstr("tune: float instead of int8 takes away"));
  EXPECT_EQ(plan_.request.label(), "int8-mixed");
}

TEST_F(TuningTest, AFormatThatDoesComesBeforeFloatingPoint) {
  request_.fallback = {Format::e4m3};
  scorer_.bad = {kBad};
  scorer_.good = Format::e4m3;
  // These trials show what the scores do: all, each unit left out, each alone in INT8 and in E4M3.
  const auto units = fallback_units(GraphIndex(tiny_.model.graph), tiny_.encoder.sites,
                                    maker_.plan(maker_.request(*request_.recipe, {}, {})),
                                    {.tokens = 8, .hidden = 32});
  std::vector<double> trials = {1};
  for (const FallbackUnit& unit : units) trials.push_back(unit.name == kBad ? 0.5 : 1);
  for (const FallbackUnit& unit : units)
    trials.insert(trials.end(), {unit.name == kBad ? 0.5 : 0.001, 0.0005});
  checkpoint().keep_trials(trials, true);
  const TuneResult result = run();
  ASSERT_EQ(result.fallbacks.size(), 1u);
  EXPECT_EQ(result.fallbacks[0].to, "e4m3");
  EXPECT_EQ(planned(kBad).format, Format::e4m3);
}

TEST_F(TuningTest, GoesOnFromWhatTheCheckpointKnows) {
  scorer_.bad = {kBad};
  const TuneResult first = run();
  EXPECT_EQ(scorer_.conversions, first.evaluations.size());
  const TuneResult again = run();
  EXPECT_EQ(scorer_.conversions, first.evaluations.size()) << "nothing is scored twice";
  ASSERT_EQ(again.evaluations.size(), first.evaluations.size());
  EXPECT_TRUE(std::ranges::all_of(again.evaluations, &TuneEvaluation::from_checkpoint));
  EXPECT_EQ(again.chosen, first.chosen);
  // Another drop is tried on the same scores.
  request_.max_drop = 25;
  const TuneResult easy = run();
  EXPECT_EQ(easy.chosen, 0u);
  EXPECT_EQ(scorer_.conversions, first.evaluations.size());
}

TEST_F(TuningTest, TheDropIsInPointsOrPerCentOrOfTheInterval) {
  scorer_.bad = {kBad};
  scorer_.wrong = 2;
  request_.max_drop = 2;
  EXPECT_EQ(run().chosen, 0u);
  request_.relative = true;  // of 100 points
  EXPECT_EQ(run().allowed, 2);
  request_.confidence = 0.95;  // the interval reaches below -2
  const TuneResult careful = run();
  EXPECT_LT(careful.evaluations[0].low, -2);
  EXPECT_FALSE(careful.evaluations[0].meets);
}

TEST_F(TuningTest, NothingIsChosenWhereNothingMeetsTheDemand) {
  for (const Site& site : tiny_.encoder.sites) scorer_.bad.insert(site.path);
  const TuneResult result = run();
  EXPECT_FALSE(result.chosen);
  EXPECT_THAT(result.fallbacks, IsEmpty());
  EXPECT_THAT(result.evaluations, testing::Each(testing::Field(&TuneEvaluation::meets, false)));
}

TEST_F(TuningTest, IsConfirmedOnOtherExamples) {
  request_.holds_out = true;
  scorer_.bad = {kBad};
  TuneCheckpoint kept = checkpoint();
  Tuning tuning(request_, maker_, scorer_, kept, progress_);
  TuneResult result;
  run(tuning, result);
  EXPECT_THAT(result.notes, IsEmpty()) << "the plan is not judged on what it was chosen on";
  FakeScorer held_out;
  held_out.bad = {"layer.0/attention/query"};  // which the search had no reason to suspect
  held_out.wrong = 5;
  const TuneHoldout holdout = tuning.confirmed(held_out);
  EXPECT_EQ(holdout.examples, 100u);
  EXPECT_EQ(holdout.baseline.score, 100);
  EXPECT_EQ(holdout.recipe.difference, -5);
  EXPECT_EQ(holdout.tuned.difference, -5);
  EXPECT_LT(holdout.tuned.difference_low, -5);
  EXPECT_EQ(holdout.test, "mcnemar-exact");
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("the plan loses 5.00 points")));
}

TEST(DifferenceInterval, OfEqualAnswersSpansWhatIsNotSeen) {
  Scored same;
  same.resampled = {90, 91, 89};
  const Interval interval = difference_interval(same, same, 100, 0.95);
  EXPECT_NEAR(interval.high, 100 * (1 - std::pow(0.025, 0.01)), 1e-12);
  EXPECT_NEAR(interval.high, 3.7, 0.1) << "the rule of three";
  EXPECT_EQ(interval.low, -interval.high);
  Scored other = same;
  other.resampled[0] = 88;
  EXPECT_GE(difference_interval(other, same, 100, 0.95).low, -2);
}

}  // namespace
}  // namespace fp8q::test
