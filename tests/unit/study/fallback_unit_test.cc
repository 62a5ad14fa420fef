#include "study/fallback_unit.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "quantize/planner.h"
#include "quantize/rewrite.h"
#include "study/trial.h"
#include "tests/unit/study/tiny_model.h"

namespace fp8q::test {
namespace {

const TinyModel& tiny() {
  static const TinyModel model;
  return model;
}

Plan planned(const PlanRequest& request) {
  return make_plan(tiny().model, tiny().encoder.sites, &tiny().statistics, request);
}

std::vector<FallbackUnit> units(const Plan& plan) {
  return fallback_units(GraphIndex(tiny().model.graph), tiny().encoder.sites, plan,
                        {.tokens = 10, .hidden = 32});
}

const FallbackUnit& named(const std::vector<FallbackUnit>& list, std::string_view name) {
  for (const FallbackUnit& unit : list)
    if (unit.name == name) return unit;
  throw std::out_of_range(std::string(name));
}

TEST(FallbackUnits, AreTheProductsOfALayer) {
  const Plan plan = planned(recipe_request(*recipe_named("int8"), tiny().encoder.sites));
  const auto list = units(plan);
  EXPECT_EQ(list.size(), 2 * 6u);  // q k v, q k^T, p v, output, two of the FFN
  EXPECT_EQ(named(list, "layer.0/attention.input").sites.size(), 4u);
  std::set<size_t> seen;
  for (const FallbackUnit& unit : list)
    for (const size_t s : unit.sites) {
      EXPECT_TRUE(seen.insert(s).second) << "in two units";
      EXPECT_TRUE(plan.sites[s].quantized());
    }
  const FallbackUnit& ffn = named(list, "layer.1/ffn.output/input");
  EXPECT_EQ(ffn.weight_values, 48u * 32);
  EXPECT_EQ(ffn.operations, 2.0 * 48 * 32);
  EXPECT_EQ(named(list, "layer.0/attention/query").operations, 2.0 * 10 * 32);
}

TEST(FallbackUnits, ValuesThatEnterNoProductFallBackAlone) {
  const Plan plan = planned(recipe_request(*recipe_named("naive-int8"), tiny().encoder.sites));
  const auto list = units(plan);
  const FallbackUnit& sum = named(list, "layer.1/ffn.residual");
  EXPECT_EQ(sum.sites.size(), 1u);
  EXPECT_EQ(sum.operations, 0);
  EXPECT_EQ(sum.weight_values, 0u);
  for (const FallbackUnit& unit : list)
    for (const size_t s : unit.sites)
      EXPECT_TRUE(is_operand(tiny().encoder.sites[s].role) || unit.sites.size() == 1);
}

// What a Site does alone is what it does in a model where only this Site is converted. The test
// compares a conversion of one product with a trial of its operands.
TEST(FallbackUnits, ATrialOfAUnitIsItsConversion) {
  for (const char* recipe : {"e4m3", "e5m2", "int8"}) {
    const PlanRequest everything = recipe_request(*recipe_named(recipe), tiny().encoder.sites);
    const Plan plan = planned(everything);
    Trials trials(tiny().encoder, plan);
    for (const FallbackUnit& unit : units(plan)) {
      PlanRequest alone = everything;
      std::vector<bool> rounded(tiny().encoder.sites.size(), false);
      for (SiteRequest& site : alone.sites) site.format.reset();
      for (const size_t s : unit.sites) {
        alone.sites[s] = everything.sites[s];
        rounded[s] = true;
      }
      Plan converted = planned(alone);
      converted.tables.clear();  // which conversion stores in half precision
      const Encoder encoder =
          recognized_encoder(quantize_model(tiny().model, tiny().encoder.sites, converted));
      const auto expected =
          make_cpu_engine(encoder, ComputeType::fp32)->run(tiny_words()).front().values;
      const auto found = trials.engine_with(rounded)->run(tiny_words()).front().values;
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], 1e-6f) << recipe << " " << unit.name;
    }
  }
}

TEST(CostModel, SpeedsAreHalvesOfTheRatio) {
  const auto list = units(planned(recipe_request(*recipe_named("int8"), tiny().encoder.sites)));
  const CostModel known({{std::nullopt, 100}, {Format::e4m3, 190}, {Format::int8, 361}}, list);
  EXPECT_EQ(known.speed(Format::e4m3), 2);
  EXPECT_EQ(known.speed(Format::int8), 3.5);
  EXPECT_EQ(known.speed(std::nullopt), 1);
  EXPECT_EQ(known.speed(Format::e5m2), 1);  // not known
  const CostModel slow({{std::nullopt, 100}, {Format::e4m3, 60}}, list);
  EXPECT_EQ(slow.speed(Format::e4m3), 1);
  EXPECT_EQ(CostModel({}, list).speed(Format::int8), 1);
}

TEST(CostModel, PricesAddUpToTheWhole) {
  const auto list = units(planned(recipe_request(*recipe_named("int8"), tiny().encoder.sites)));
  const CostModel costs({{std::nullopt, 100}, {Format::int8, 400}}, list);
  double time = 0, price = 0;
  for (const FallbackUnit& unit : list) {
    time += costs.time(unit, Format::int8);
    price += costs.price(unit, Format::int8, std::nullopt);
    // A wider format costs less than floating point, and more than nothing.
    EXPECT_GT(costs.price(unit, Format::int8, Format::e4m3), 0);
    EXPECT_LT(costs.price(unit, Format::int8, Format::e4m3),
              costs.price(unit, Format::int8, std::nullopt) + costs.time(unit, Format::e4m3));
  }
  EXPECT_NEAR(time, 0.25, 1e-12);
  EXPECT_NEAR(price, 1 + 0.75 + 0.75, 1e-9);  // Sites, time, bytes
}

}  // namespace
}  // namespace fp8q::test
