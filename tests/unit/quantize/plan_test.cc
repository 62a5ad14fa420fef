// Tests what the plan decides: products, scales, codes, reasons, errors.
#include "quantize/planner.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

Tensor weight_with_zero_channel() {
  Tensor w = random_tensor({6, 5}, 1);
  for (int64_t row = 0; row < 6; ++row)
    w.mutable_data<float>()[static_cast<size_t>(row * 5 + 2)] = 0;
  return w;
}

Plan plan_linear(const Model& model, const Recipe& recipe, SiteRole role = SiteRole::intermediate,
                 PlanOptions options = {}) {
  const auto sites = with_role(generic_sites(model), role);
  const Statistics statistics = statistics_for(sites);
  return make_plan(model, sites, &statistics, recipe, options);
}

class PlanOfEveryRecipe : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, PlanOfEveryRecipe, testing::ValuesIn(recipes_by_channel()),
                         [](const auto& recipe) { return test_name(recipe.param); });

TEST_P(PlanOfEveryRecipe, LinearLayer) {
  const Recipe& recipe = GetParam();
  const Tensor w = weight_with_zero_channel();
  const Plan plan = plan_linear(linear_model(w), recipe);
  const SitePlan& x = plan_of(plan, "x");
  EXPECT_TRUE(x.quantized());
  EXPECT_EQ(x.format, recipe.activations);
  EXPECT_FALSE(x.axis.axis);
  EXPECT_EQ(x.granularity, recipe.activation_granularity);
  if (is_dynamic(recipe)) {
    EXPECT_TRUE(x.scales.empty());
  } else {
    EXPECT_EQ(x.absmax, 6.0f);
    EXPECT_EQ(x.scales, std::vector<float>{scale_for(recipe.activations, 6.0f)});
    EXPECT_EQ(decode(x.format, encode(x.format, x.absmax, x.scales[0])), info(x.format).largest);
    EXPECT_GT(*x.sqnr_db, 10.0);
  }

  const SitePlan& weight = plan_of(plan, "W");
  EXPECT_TRUE(weight.quantized());
  EXPECT_EQ(weight.format, recipe.weights);
  EXPECT_EQ(weight.granularity, Granularity::channel);
  EXPECT_EQ(weight.axis.axis, 1);
  EXPECT_EQ(weight.zero_channels, 1);
  ASSERT_EQ(weight.scales.size(), 5u);
  for (size_t c = 0; c < 5; ++c) {
    float absmax = 0;
    for (size_t r = 0; r < 6; ++r) absmax = std::max(absmax, std::fabs(w.data<float>()[r * 5 + c]));
    EXPECT_EQ(weight.scales[c], c == 2 ? 1.0f : scale_for(recipe.weights, absmax));
    if (c == 2) continue;
    EXPECT_EQ(decode(weight.format, encode(weight.format, absmax, weight.scales[c])),
              info(weight.format).largest);
  }
  EXPECT_GT(*weight.sqnr_db, 15.0);
}

TEST(Plan, HeadOnlyOnRequest) {
  const Model model = linear_model(random_tensor({6, 5}, 1));
  const Plan without = plan_linear(model, default_recipe(), SiteRole::head);
  EXPECT_FALSE(plan_of(without, "x").quantized());
  EXPECT_FALSE(plan_of(without, "W").quantized());
  EXPECT_NE(plan_of(without, "W").reason.find("--quantize-head"), std::string::npos);
  const Plan with = plan_linear(model, default_recipe(), SiteRole::head, {.quantize_head = true});
  EXPECT_TRUE(plan_of(with, "W").quantized());
}

TEST(Plan, ScalesOfTokensNeedNoStatistics) {
  const Model model = linear_model(random_tensor({6, 5}, 1));
  const auto sites = with_role(generic_sites(model), SiteRole::intermediate);
  const Plan plan = make_plan(model, sites, nullptr, *recipe_named("int8-dynamic"), {});
  EXPECT_TRUE(plan_of(plan, "x").quantized());
  EXPECT_EQ(plan_of(plan, "x").reason, "absmax of each token, found at run time");
  EXPECT_FALSE(plan_of(plan, "x").sqnr_db);
}

// The rows of x must be rows of the product, and its other operand a weight.
TEST(Plan, ScalesOfTokensWhereTheyCanBeTakenOutOfTheSum) {
  const Tensor w = random_tensor({6, 5}, 1);
  const auto plan_gemm = [&](int64_t trans_a, std::vector<std::string> inputs) {
    ModelBuilder b;
    b.input("x", {6, 6}).output("y", {6, 5}).constant("W", w);
    b.node("Gemm", std::move(inputs), "y", {{"transA", trans_a}});
    return plan_linear(b.model, *recipe_named("int8-dynamic"));
  };
  EXPECT_TRUE(plan_of(plan_gemm(0, {"x", "W"}), "x").quantized());
  for (const Plan& plan : {plan_gemm(1, {"x", "W"}), plan_gemm(0, {"W", "x"})}) {
    EXPECT_FALSE(plan_of(plan, "x").quantized());
    EXPECT_FALSE(plan_of(plan, "W").quantized());
    EXPECT_NE(plan_of(plan, "x").reason.find("a scale per token"), std::string::npos);
  }
  const Model attention = attention_model();
  const Plan plan =
      make_plan(attention, attention_sites(attention), nullptr, *recipe_named("e4m3-dynamic"), {});
  for (const SitePlan& site : plan.sites) EXPECT_FALSE(site.quantized()) << site.path;
  const Plan unknown =
      make_plan(attention, generic_sites(attention), nullptr, *recipe_named("e4m3-dynamic"), {});
  for (const SitePlan& site : unknown.sites) EXPECT_FALSE(site.quantized()) << site.path;
}

TEST_P(PlanOfEveryRecipe, AttentionHasFixedProbabilities) {
  if (is_dynamic(GetParam())) return;  // leaves them alone: see above
  const Model model = attention_model();
  const auto sites = attention_sites(model);
  const Statistics statistics = statistics_for(sites, 4.0f);
  const Plan plan = make_plan(model, sites, &statistics, GetParam(), {});
  for (const SitePlan& site : plan.sites) EXPECT_TRUE(site.quantized()) << site.path;
  EXPECT_EQ(plan_of(plan, "p").scales[0], scale_for(GetParam().activations, 1.0f));
  EXPECT_EQ(plan_of(plan, "q").scales[0], scale_for(GetParam().activations, 4.0f));
}

TEST(Plan, UnrecognizedGraphs) {
  const Model model = attention_model();
  const auto sites = generic_sites(model);
  const Statistics statistics = statistics_for(sites);
  const Plan plan = make_plan(model, sites, &statistics, default_recipe(), {});
  EXPECT_TRUE(plan_of(plan, "p").quantized());
  EXPECT_TRUE(plan_of(plan, "v").quantized());
  EXPECT_FALSE(plan_of(plan, "q").quantized());
  EXPECT_NE(plan_of(plan, "kT").reason.find("two activations"), std::string::npos);
  const Plan linear =
      plan_linear(linear_model(random_tensor({6, 5}, 1)), default_recipe(), SiteRole::other);
  EXPECT_TRUE(plan_of(linear, "x").quantized());
}

TEST(Plan, NoProductIsHalfQuantized) {
  // The weight is computed by an Add, so it is no constant that can be stored in 8 bits.
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 5});
  b.constant("W", random_tensor({6, 5}, 1)).constant("U", random_tensor({6, 5}, 2));
  b.node("Add", {"W", "U"}, "WU").node("MatMul", {"x", "WU"}, "y");
  const Plan plan = plan_linear(b.model, default_recipe());
  EXPECT_FALSE(plan_of(plan, "x").quantized());
  EXPECT_FALSE(plan_of(plan, "WU").quantized());
  EXPECT_NE(plan_of(plan, "x").reason.find("\"WU\""), std::string::npos);
}

TEST(Plan, SiteOfAQuantizedAndAFloatProduct) {
  ModelBuilder b;
  b.input("x", {4, 6}).output("y", {4, 5}).output("z", {4, 5});
  b.constant("W", random_tensor({6, 5}, 1)).constant("U", random_tensor({6, 5}, 2));
  b.constant("V", random_tensor({6, 5}, 3));
  b.node("Add", {"W", "U"}, "WU").node("MatMul", {"x", "WU"}, "y").node("MatMul", {"x", "V"}, "z");
  const Plan plan = plan_linear(b.model, default_recipe());
  ASSERT_TRUE(plan_of(plan, "x").quantized());
  EXPECT_EQ(plan_of(plan, "x").uses, (std::vector<Use>{{2, 0}}));
}

ErrorCode code_of(const std::function<void()>& f, const std::string& text) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Plan, MissingStatisticsAreErrors) {
  const Model model = linear_model(random_tensor({6, 5}, 1));
  const auto sites = with_role(generic_sites(model), SiteRole::intermediate);
  const auto plan_with = [&](const Statistics* statistics) {
    return [&, statistics] { make_plan(model, sites, statistics, default_recipe(), {}); };
  };
  EXPECT_EQ(code_of(plan_with(nullptr), "fp8q calibrate"), ErrorCode::bad_data);
  Statistics statistics;
  EXPECT_EQ(code_of(plan_with(&statistics), "\"x\""), ErrorCode::bad_data);
  statistics.sites.push_back({"x", "", {}});
  EXPECT_EQ(code_of(plan_with(&statistics), "no values"), ErrorCode::bad_data);
  const std::vector<float> nan = {std::nanf("")};
  statistics.sites[0].statistics.observe(nan, 0, 0);
  EXPECT_EQ(code_of(plan_with(&statistics), "not finite"), ErrorCode::bad_data);
  statistics.sites[0].statistics.observe(std::vector<float>{2.0f}, 0, 0);
  const Plan plan = make_plan(model, sites, &statistics, default_recipe(), {});
  EXPECT_EQ(plan_of(plan, "x").nonfinite, 1u);
  EXPECT_NE(plan_of(plan, "x").reason.find("1 values that are not finite"), std::string::npos);
}

TEST(Plan, WeightsThatAreNotFiniteAreErrors) {
  for (const float bad : {std::nanf(""), INFINITY}) {
    Tensor w = random_tensor({6, 5}, 1);
    w.mutable_data<float>()[7] = bad;
    const Model model = linear_model(w);
    EXPECT_EQ(code_of([&] { plan_linear(model, default_recipe()); }, "\"W\": element 7"),
              ErrorCode::bad_model);
  }
}

TEST(Plan, DoublePrecisionProductsAreUnsupported) {
  const Model model = linear_model(random_tensor({6, 5}, 1).to(DType::f64));
  EXPECT_EQ(code_of([&] { plan_linear(model, default_recipe()); }, "double"),
            ErrorCode::unsupported);
}

TEST(Plan, ActivationOfZeros) {
  const Model model = linear_model(random_tensor({6, 5}, 1));
  const auto sites = with_role(generic_sites(model), SiteRole::intermediate);
  Statistics statistics;
  statistics.sites.push_back({"x", "", {}});
  statistics.sites[0].statistics.observe(std::vector<float>(9, 0.0f), 0, 0);
  const Plan plan = make_plan(model, sites, &statistics, default_recipe(), {});
  EXPECT_EQ(plan_of(plan, "x").scales[0], 1.0f);
  EXPECT_EQ(plan_of(plan, "x").zero_channels, 1);
}

}  // namespace
}  // namespace fp8q::test
