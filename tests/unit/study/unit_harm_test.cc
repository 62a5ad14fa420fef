#include "study/unit_harm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/study/tiny_model.h"

namespace fp8q::test {
namespace {

struct Case {
  TinyModel tiny;
  std::vector<Plan> plans;
  std::vector<FallbackUnit> units;

  explicit Case(const std::vector<const char*>& recipes) {
    for (const char* recipe : recipes)
      plans.push_back(make_plan(tiny.model, tiny.encoder.sites, &tiny.statistics,
                                recipe_request(*recipe_named(recipe), tiny.encoder.sites)));
    units = fallback_units(GraphIndex(tiny.model.graph), tiny.encoder.sites, plans.front(),
                           {.tokens = 8, .hidden = 32});
  }
  std::vector<Move> moves() {
    const CostModel costs({{"fp32", 1}, {"int8", 4}}, units);
    const SensitivityInputs text{.batches = {tiny_words()}, .score = nullptr};
    size_t last = 0;
    const auto found = estimate_moves({tiny.encoder, plans, units, costs, text},
                                      [&](size_t done, size_t) { last = done; });
    EXPECT_EQ(last, units.size() * (plans.size() + 1) + 1);
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

}  // namespace
}  // namespace fp8q::test
