#include "study/unit_harm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quantize/planner.h"
#include "tests/unit/study/tiny_model.h"

namespace fp8q::test {
namespace {

struct Case {
  TinyModel tiny;
  std::vector<Plan> plans;
  std::vector<FallbackUnit> units;
  std::vector<double> trials;

  explicit Case(const std::vector<const char*>& recipes) {
    for (const char* recipe : recipes)
      plans.push_back(make_plan(tiny.model, tiny.encoder.sites, &tiny.statistics,
                                recipe_request(*recipe_named(recipe), tiny.encoder.sites)));
    units = fallback_units(GraphIndex(tiny.model.graph), tiny.encoder.sites, plans.front(),
                           {.tokens = 8, .hidden = 32});
  }
  // `known` is the number of trials that an earlier call has left.
  std::vector<Move> moves(size_t known = 0) {
    const CostModel costs({{std::nullopt, 1}, {Format::int8, 4}}, units);
    const SensitivityInputs text{.batches = {tiny_words()}, .score = nullptr};
    size_t calls = 0;
    trials.resize(known);
    const auto found = estimate_moves({tiny.encoder, plans, units, costs, text}, trials,
                                      [&](size_t done, size_t total) {
                                        EXPECT_EQ(done, known + ++calls);
                                        EXPECT_EQ(total, units.size() * (plans.size() + 1) + 1);
                                      });
    EXPECT_EQ(trials.size(), units.size() * (plans.size() + 1) + 1);
    EXPECT_EQ(calls, trials.size() - known);
    return found;
  }
};

TEST(UnitHarm, TheUnitWithTheBadScaleComesFirst) {
  Case c({"int8"});
  const auto bad = std::ranges::find(c.units, "layer.1/ffn.output/input", &FallbackUnit::name);
  c.plans[0].sites[bad->sites.front()].scales[0] *= 40;
  const std::vector<Move> moves = c.moves();
  ASSERT_EQ(moves.size(), c.units.size());
  EXPECT_EQ(moves.front().unit, static_cast<size_t>(bad - c.units.begin()));
  for (const Move& move : moves) {
    EXPECT_GE(move.harm, 0);
    EXPECT_GT(move.price, 0);
  }
}

TEST(UnitHarm, AFormatWithoutTheDamageIsTheFirstStep) {
  Case c({"int8", "e4m3"});
  const auto bad = std::ranges::find(c.units, "layer.0/ffn.output/input", &FallbackUnit::name);
  c.plans[0].sites[bad->sites.front()].scales[0] *= 40;
  const std::vector<Move> moves = c.moves();
  EXPECT_EQ(moves.front().unit, static_cast<size_t>(bad - c.units.begin()));
  EXPECT_EQ(moves.front().step, 1u);  // E4M3, whose scale is sound
  // Every unit ends in floating point.
  for (size_t u = 0; u < c.units.size(); ++u)
    EXPECT_TRUE(
        std::ranges::any_of(moves, [&](const Move& m) { return m.unit == u && m.step == 2; }));
}

TEST(UnitHarm, GoesOnFromTheTrialsThatAreKnown) {
  Case c({"int8", "e4m3"});
  const std::vector<Move> whole = c.moves();
  const std::vector<double> trials = c.trials;
  for (const size_t known : {size_t{1}, trials.size() / 2, trials.size()}) {
    const std::vector<Move> moves = c.moves(known);
    EXPECT_EQ(c.trials, trials);
    ASSERT_EQ(moves.size(), whole.size());
    for (size_t m = 0; m < moves.size(); ++m) {
      EXPECT_EQ(moves[m].unit, whole[m].unit);
      EXPECT_EQ(moves[m].step, whole[m].step);
      EXPECT_EQ(moves[m].harm, whole[m].harm);
    }
  }
}

// Without the chance level every gain above zero would count, however small.
TEST(UnitHarm, GainsWithinChanceDoNotCount) {
  Case c({"int8"});
  const size_t units = c.units.size();
  c.moves();
  // Everything diverges by 1. Leaving out a unit adds 0.1 for most, and takes away 0.05 once and
  // 0.5 once.
  c.trials.assign(1, 1.0);
  for (size_t u = 0; u < units; ++u) c.trials.push_back(u == 0 ? 0.95 : u == 1 ? 0.5 : 1.1);
  c.trials.insert(c.trials.end(), units, 0.001);  // alone
  for (const Move& move : c.moves(c.trials.size()))
    EXPECT_DOUBLE_EQ(move.harm, move.unit == 1 ? 0.501 : 0.001) << move.unit;
}

}  // namespace
}  // namespace fp8q::test
