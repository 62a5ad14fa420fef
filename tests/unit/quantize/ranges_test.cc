// Tests ranges in and out of plans, what a request needs to be planned, and what plans do to sizes.
#include "quantize/ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "quantize/plan_sizes.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

struct LinearRequest {
  Model model = linear_model(random_tensor({6, 5}, 1));
  std::vector<Site> sites = generic_sites(model);
  PlanRequest request = recipe_request(*recipe_named("e4m3"), sites);
  // Returns the request for the only activation.
  SiteRequest& of_x() {
    for (size_t i = 0; i < sites.size(); ++i)
      if (sites[i].value == "x") return request.sites[i];
    throw std::runtime_error("no Site x");
  }
};

TEST(Ranges, OfATableStandForStatistics) {
  LinearRequest linear;
  EXPECT_TRUE(needs_statistics(linear.request, linear.sites));
  take_ranges({"a table", {{"x", 2.5f}, {"other", 1.0f}}}, "folder/x.cache", linear.sites,
              linear.request);
  EXPECT_FALSE(needs_statistics(linear.request, linear.sites));
  EXPECT_EQ(linear.of_x().observer, (ObserverChoice{Observer::fixed, 2.5}));
  EXPECT_THAT(linear.of_x().reason, HasSubstr("; range from x.cache"));
  const Plan plan = make_plan(linear.model, linear.sites, nullptr, linear.request);
  EXPECT_EQ(plan_of(plan, "x").absmax, 2.5f);
  EXPECT_EQ(ranges_of(plan).ranges, (std::map<std::string, float>{{"x", 2.5f}}));
}

TEST(Ranges, MissingOnesAreNamed) {
  LinearRequest linear;
  try {
    take_ranges({"a table", {}}, "x.cache", linear.sites, linear.request);
    ADD_FAILURE() << "a table without the Site was taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_data);
    EXPECT_THAT(e.what(), HasSubstr("x.cache: this a table has no range for 1 Sites"));
    EXPECT_THAT(e.what(), HasSubstr("(\"x\")"));
  }
}

TEST(Ranges, WhatNeedsNoneIsLeftAlone) {
  LinearRequest fixed;
  fixed.of_x().observer = ObserverChoice{Observer::fixed, 3.0};
  take_ranges({"a table", {{"x", 2.5f}}}, "x.cache", fixed.sites, fixed.request);
  EXPECT_EQ(fixed.of_x().observer.parameter, 3.0);

  LinearRequest dynamic;
  dynamic.request = recipe_request(*recipe_named("int8-dynamic"), dynamic.sites);
  EXPECT_FALSE(needs_statistics(dynamic.request, dynamic.sites));
  take_ranges({"a table", {}}, "x.cache", dynamic.sites, dynamic.request);
  const Plan plan = make_plan(dynamic.model, dynamic.sites, nullptr, dynamic.request);
  EXPECT_TRUE(ranges_of(plan).ranges.empty()) << "scales per token are found at run time";
}

TEST(Needs, FollowFromObserversOfWhatIsQuantized) {
  LinearRequest linear;
  EXPECT_FALSE(needs_predictions(linear.request, linear.sites));
  linear.of_x().observer = ObserverChoice{Observer::unit, 0};
  EXPECT_TRUE(needs_predictions(linear.request, linear.sites));
  EXPECT_FALSE(needs_statistics(linear.request, linear.sites));
  linear.of_x().format.reset();
  EXPECT_FALSE(needs_predictions(linear.request, linear.sites));
  linear.request.options.smooth_quant = SmoothQuant::parse("0.5", "x");
  EXPECT_TRUE(needs_statistics(linear.request, linear.sites)) << "smoothing looks at channels";
}

TEST(Recipes, UnknownOnesAreRefusedWithThoseThereAre) {
  EXPECT_EQ(require_recipe("int8", "--recipe").name, "int8");
  try {
    require_recipe("e9m9\n", "--recipe");
    ADD_FAILURE() << "a recipe that is not there was found";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::usage);
    EXPECT_THAT(e.what(), HasSubstr("--recipe: \"e9m9\\x0a\" is none of e4m3, "));
  }
}

TEST(PlanSizes, CountStoredConstantsOnce) {
  // The model has W twice, and a table of 4 rows.
  ModelBuilder b;
  b.input("ids", {3}, DType::i64).output("y", {3, 6}).output("z", {3, 6});
  b.constant("T", random_tensor({4, 6}, 3)).constant("W", random_tensor({6, 6}, 4));
  b.node("Gather", {"T", "ids"}, "x").node("MatMul", {"x", "W"}, "y");
  b.node("MatMul", {"y", "W"}, "z");
  const auto sites = generic_sites(b.model);
  const Statistics statistics = statistics_for(sites);
  const auto sizes = [&](bool rows) {
    return sizes_of(
        make_plan(b.model, sites, &statistics, default_recipe(), {.quantize_embeddings = rows}),
        b.model);
  };
  const PlanSizes halves = sizes(false), rows = sizes(true);
  EXPECT_EQ(halves.matrices_before, 36 * sizeof(float));
  EXPECT_EQ(halves.matrices_after, 36u);
  EXPECT_EQ(halves.tables_before, 24 * sizeof(float));
  EXPECT_EQ(halves.tables_after, 24 * sizeof(Float16));
  EXPECT_EQ(rows.tables_after, 24u);
}

}  // namespace
}  // namespace fp8q::test
