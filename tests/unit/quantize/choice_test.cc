// Tests decisions for single Sites: their text, which Sites they reach, and what follows for
// products.
#include "quantize/choice.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "quantize/planner.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

// Holds two layers, x -> MatMul W0 -> MatMul W1 -> y, with the paths an encoder would give.
struct TwoLinears {
  Model model;
  std::vector<Site> sites;
  Statistics statistics;

  TwoLinears() {
    ModelBuilder b;
    b.input("x", {4, 6}).output("y", {4, 7});
    b.constant("W0", random_tensor({6, 5}, 1)).constant("W1", random_tensor({5, 7}, 2));
    b.node("MatMul", {"x", "W0"}, "h").node("MatMul", {"h", "W1"}, "y");
    model = b.model;
    sites = with_role(generic_sites(model), SiteRole::intermediate);
    const std::map<std::string, std::string> paths = {{"x", "layer.0/ffn/input"},
                                                      {"W0", "layer.0/ffn/weight"},
                                                      {"h", "layer.1/ffn/input"},
                                                      {"W1", "layer.1/ffn/weight"}};
    for (Site& site : sites) site.path = paths.at(site.value);
    statistics = statistics_for(sites);
  }

  PlanRequest request(const std::vector<std::string>& texts) const {
    PlanRequest request = recipe_request(default_recipe(), sites);
    std::vector<SiteChoice> choices;
    for (const auto& text : texts) choices.push_back(parse_site_choice(text));
    apply_choices(choices, sites, request);
    return request;
  }
  Plan plan(const std::vector<std::string>& texts) const {
    return make_plan(model, sites, &statistics, request(texts));
  }
};

std::string usage_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return "";
}

TEST(SiteChoice, ItsParts) {
  const SiteChoice all = parse_site_choice("layer.?/a=b=int8@tensor:percentile:99.5");
  EXPECT_EQ(all.pattern, "layer.?/a=b");
  EXPECT_EQ(all.wanted->format, Format::int8);
  EXPECT_EQ(all.granularity, Granularity::tensor);
  EXPECT_EQ(all.observer, ObserverChoice(Observer::percentile, 99.5));
  const SiteChoice observer = parse_site_choice("x=:mse");
  EXPECT_FALSE(observer.wanted || observer.granularity);
  EXPECT_EQ(observer.observer, ObserverChoice(Observer::mse));
  EXPECT_EQ(parse_site_choice("x=float").wanted->format, std::nullopt);
}

TEST(SiteChoice, WrongTextsAreNamed) {
  for (const auto& [text, part] : std::map<std::string, std::string>{
           {"layer.0", "PATTERN="},
           {"=int8", "PATTERN="},
           {"x=", "PATTERN="},
           {"x=int7", "\"int7\" is no format; there are float, e4m3"},
           {"x=int8@row", "\"row\" is no granularity"},
           {"x=int8:median", "\"median\" is no observer; there are absmax, percentile"},
           {"x=int8:mse:3", "mse takes no parameter"},
           {"x=int8:percentile:101", "a percent from 50 to 100, not \"101\""},
           {"x=int8:percentile:nan", "from 50 to 100"}}) {
    const std::string error = usage_error([&, t = text] { parse_site_choice(t); });
    EXPECT_NE(error.find(part), std::string::npos) << error;
    EXPECT_NE(error.find("--site '" + text + "'"), std::string::npos) << error;
  }
}

TEST(SiteChoice, TheLastMatchDecidesAndTheRestStays) {
  const TwoLinears two;
  const PlanRequest request =
      two.request({"*=e5m2", "layer.1/*=:mse", "*/weight=@tensor", "layer.0/*=int8"});
  EXPECT_EQ(request.sites[0].format, Format::int8);
  EXPECT_EQ(request.sites[0].observer, ObserverChoice());
  EXPECT_EQ(request.sites[1].granularity, Granularity::tensor);
  EXPECT_EQ(request.sites[2].format, Format::e5m2);
  EXPECT_EQ(request.sites[2].observer, ObserverChoice(Observer::mse));
  EXPECT_EQ(request.sites[2].reason, "--site 'layer.1/*=:mse'");
  EXPECT_TRUE(request.mixed);
  EXPECT_EQ(request.label(), "e4m3-mixed");
  EXPECT_EQ(two.request({"*=e4m3", "*/input=:mse"}).label(), "e4m3");
}

TEST(SiteChoice, PatternsThatReachNothingAreErrors) {
  const TwoLinears two;
  EXPECT_NE(usage_error([&] { two.request({"layer.7/*=float"}); }).find("matches none of"),
            std::string::npos);
  const std::string error = usage_error([&] { two.request({"ffn/weight=float"}); });
  EXPECT_NE(error.find("is none of the model's 4 Sites (as layer.0/ffn/weight"), std::string::npos)
      << error;
  EXPECT_NE(usage_error([&] { two.request({"*/input=@channel"}); }).find("for weights"),
            std::string::npos);
}

TEST(SiteChoice, TokensHaveScalesOfTheirOwn) {
  const TwoLinears two;
  const PlanRequest request = two.request({"layer.0/*=int8@token", "layer.1/*=:mse"});
  EXPECT_EQ(request.sites[0].granularity, Granularity::token);
  EXPECT_EQ(request.sites[1].granularity, Granularity::channel) << "of the weight";
  EXPECT_EQ(two.request({"*/input=:mse", "*/input=@token"}).sites[0].observer, ObserverChoice());
  EXPECT_EQ(two.request({"*/input=@token", "*/input=@tensor:mse"}).sites[0].observer,
            ObserverChoice(Observer::mse));
  EXPECT_NE(usage_error([&] {
              two.request({"*/input=@token", "*/input=:mse"});
            }).find("has the absmax of each token"),
            std::string::npos);
  EXPECT_NE(
      usage_error([&] { two.request({"*/weight=@token"}); }).find("for inputs of linear layers"),
      std::string::npos);
}

TEST(SiteChoice, AFloatOperandMakesTheProductFloat) {
  const TwoLinears two;
  const Plan plan = two.plan({"layer.0/ffn/weight=float"});
  EXPECT_FALSE(plan_of(plan, "W0").quantized());
  EXPECT_EQ(plan_of(plan, "W0").reason, "--site 'layer.0/ffn/weight=float'");
  EXPECT_FALSE(plan_of(plan, "x").quantized());
  EXPECT_EQ(plan_of(plan, "x").reason,
            "the other operand, layer.0/ffn/weight, stays in floating point");
  EXPECT_TRUE(plan_of(plan, "W1").quantized());
  EXPECT_TRUE(plan_of(plan, "h").quantized());
}

TEST(SiteChoice, ASiteThatWasNamedMustNotStayFloat) {
  const TwoLinears two;
  const std::string error = usage_error([&] {
    two.plan({"layer.0/*=float", "layer.0/ffn/weight=int8"});
  });
  EXPECT_EQ(error,
            "--site 'layer.0/ffn/weight=int8': layer.0/ffn/weight cannot be int8: the other "
            "operand, layer.0/ffn/input, stays in floating point");
}

TEST(SiteChoice, Fp8FormatsMixAndInt8DoesNot) {
  const TwoLinears two;
  const Plan plan = two.plan({"*/input=e5m2"});
  EXPECT_EQ(plan_of(plan, "x").format, Format::e5m2);
  EXPECT_EQ(plan_of(plan, "W0").format, Format::e4m3);
  const std::string error = usage_error([&] { two.plan({"*/weight=int8"}); });
  EXPECT_NE(error.find("layer.0/ffn/input is to be e4m3 and layer.0/ffn/weight int8"),
            std::string::npos)
      << error;
}

TEST(SiteChoice, QueryKeyAndValueStayTogether) {
  ModelBuilder b;
  b.input("x", {4, 6}).output("q", {4, 6}).output("k", {4, 6});
  b.constant("Q", random_tensor({6, 6}, 1)).constant("K", random_tensor({6, 6}, 2));
  b.node("MatMul", {"x", "Q"}, "q").node("MatMul", {"x", "K"}, "k");
  const auto sites = with_role(generic_sites(b.model), SiteRole::attention_input);
  const Statistics statistics = statistics_for(sites);
  PlanRequest request = recipe_request(default_recipe(), sites);
  const std::vector<SiteChoice> choices = {parse_site_choice("node:q/weight=float")};
  apply_choices(choices, sites, request);
  const Plan plan = make_plan(b.model, sites, &statistics, request);
  for (const SitePlan& site : plan.sites) EXPECT_FALSE(site.quantized()) << site.path;
  EXPECT_NE(plan_of(plan, "K").reason.find("query, key and value"), std::string::npos);
}

TEST(SiteChoice, WeightsHaveObserversToo) {
  const TwoLinears two;
  const auto absmax = plan_of(two.plan({"*=int8"}), "W0");
  const auto mse = plan_of(two.plan({"*=int8", "*/weight=:mse"}), "W0");
  EXPECT_EQ(mse.scales.size(), 5u);
  EXPECT_NE(mse.scales, absmax.scales);
  EXPECT_GT(*mse.sqnr_db, *absmax.sqnr_db);
  EXPECT_EQ(mse.reason, "mse of each output channel; --site '*/weight=:mse'");
  const auto fixed = plan_of(two.plan({"*/weight=e4m3@tensor:fixed:56"}), "W0");
  EXPECT_EQ(fixed.scales, std::vector<float>{0.125f});
}

}  // namespace
}  // namespace fp8q::test
