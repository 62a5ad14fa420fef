#include "study/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/study/study_testing.h"

namespace fp8q::test {
namespace {

const Encoder& encoder() {
  static const Encoder made = random_encoder(*random_shape_named("tiny"));
  return made;
}

SensitivityInputs inputs(size_t batches = 2) {
  SensitivityInputs in{.batches = {}, .score = nullptr};
  for (size_t b = 0; b < batches; ++b) in.batches.push_back(words(4, 10 + b));
  return in;
}

TEST(Sensitivity, HarmIsThatOfTheTrials) {
  const Plan plan = plan_of(encoder(), *recipe_named("int8"));
  const Sensitivity found = measure_sensitivity(encoder(), plan, inputs(), nullptr);
  Trials trials(encoder(), plan);
  ASSERT_EQ(found.sites.size(), trials.sites().size());
  EXPECT_EQ(found.none.divergence, 0);
  EXPECT_EQ(found.none.agreement, 1);
  EXPECT_GT(found.all.divergence, 0);
  for (const SiteHarm& site : found.sites) {
    EXPECT_GT(site.alone.divergence, 0) << encoder().sites[site.site].path;
    // A Site alone does less than all together, and leaving one out cannot make everything vanish.
    EXPECT_LT(site.alone.divergence, found.all.divergence);
    EXPECT_GT(site.left_out.divergence, 0);
    EXPECT_GT(site.alone.loss, 0);
  }
}

TEST(Sensitivity, ASiteWithABadScaleIsTheWorst) {
  Plan plan = plan_of(encoder(), *recipe_named("int8"));
  const auto bad = static_cast<size_t>(encoder().layers[1].output.input_site);
  plan.sites[bad].scales[0] *= 30;  // almost everything becomes zero
  const Sensitivity found = measure_sensitivity(encoder(), plan, inputs(), nullptr);
  const auto worst = std::ranges::max_element(found.sites, {},
                                              [](const SiteHarm& s) { return s.alone.divergence; });
  EXPECT_EQ(worst->site, bad);
  const auto best = std::ranges::min_element(
      found.sites, {}, [](const SiteHarm& s) { return s.left_out.divergence; });
  EXPECT_EQ(best->site, bad);
  EXPECT_LT(best->left_out.divergence, found.all.divergence / 2);
}

TEST(Sensitivity, FiguresDoNotDependOnBatches) {
  const Plan plan = plan_of(encoder(), *recipe_named("e4m3"));
  SensitivityInputs one = inputs(2), split{.batches = {}, .score = nullptr};
  for (const PackedBatch& batch : one.batches)
    for (size_t s = 0; s < batch.sequences(); ++s) {
      const auto from = static_cast<size_t>(batch.offsets[s]);
      const auto to = static_cast<size_t>(batch.offsets[s + 1]);
      split.batches.emplace_back().append(std::span(batch.ids).subspan(from, to - from),
                                          std::span(batch.type_ids).subspan(from, to - from));
    }
  const Sensitivity a = measure_sensitivity(encoder(), plan, one, nullptr);
  const Sensitivity b = measure_sensitivity(encoder(), plan, split, nullptr);
  for (size_t i = 0; i < a.sites.size(); ++i) {
    EXPECT_EQ(a.sites[i].alone.divergence, b.sites[i].alone.divergence);
    EXPECT_EQ(a.sites[i].left_out.divergence, b.sites[i].left_out.divergence);
  }
}

TEST(Sensitivity, ScoresEveryTrialAndTellsProgress) {
  const Plan plan = plan_of(encoder(), *recipe_named("e5m2"));
  SensitivityInputs in = inputs(1);
  double scored = 0;
  in.score = [&](Engine&) { return scored++; };
  size_t last = 0, promised = 0;
  const Sensitivity found =
      measure_sensitivity(encoder(), plan, in, [&](size_t done, size_t total) {
        EXPECT_EQ(done, last + 1);
        last = done;
        promised = total;
      });
  EXPECT_EQ(last, promised);
  EXPECT_EQ(found.none.score, 0);
  EXPECT_EQ(found.all.score, 1);
  EXPECT_EQ(found.sites.back().left_out.score, scored - 1);
}

}  // namespace
}  // namespace fp8q::test
