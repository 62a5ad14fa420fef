// Tests plan files: their form, their round trip, and the messages about wrong ones.
#include "quantize/plan_file.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "quantize/rewrite.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

struct PlannedLinear {
  Model model = linear_model(random_tensor({6, 5}, 1));
  std::vector<Site> sites = with_role(generic_sites(model), SiteRole::intermediate);
  Statistics statistics = statistics_for(sites);

  Plan plan(const std::vector<SiteChoice>& choices) const {
    PlanRequest request = recipe_request(default_recipe(), sites);
    apply_choices(choices, sites, request);
    return make_plan(model, sites, &statistics, request);
  }
};

TEST(PlanFile, OneLineForEverySite) {
  const PlannedLinear linear;
  EXPECT_EQ(plan_to_json(linear.plan({parse_site_choice("*/input=:mse")})),
            R"({"schema":"fp8q/plan/1","recipe":"e4m3","quantize_head":false,)"
            R"("quantize_embeddings":false,"model":{"name":"","sha256":""},"sites":[)"
            "\n"
            R"({"site":"node:xW/input","format":"e4m3","granularity":"tensor","observer":"mse",)"
            R"("reason":"--site '*/input=:mse'"},)"
            "\n"
            R"({"site":"node:xW/weight","format":"e4m3","granularity":"channel",)"
            R"("observer":"absmax","reason":"recipe e4m3"})"
            "\n]}\n");
}

TEST(PlanFile, ReadAgainItGivesTheSamePlanAndModel) {
  const PlannedLinear linear;
  for (const char* text :
       {"*=int8", "*/weight=float", "*/input=e5m2:percentile:99.5", "*/input=@token"}) {
    const Plan plan = linear.plan({parse_site_choice(text)});
    const std::string file = plan_to_json(plan);
    const PlanFile read = plan_from_json(file, "plan.json");
    EXPECT_EQ(read.recipe, "e4m3");
    const Plan again = linear.plan(read.choices);
    EXPECT_EQ(plan_to_json(again), file);
    const Model model = quantize_model(linear.model, linear.sites, plan);
    EXPECT_EQ(quantize_model(linear.model, linear.sites, again).metadata, model.metadata);
    EXPECT_EQ(model.functions.size(), std::string(text).ends_with("@token") ? 1u : 0u);
  }
}

TEST(PlanFile, PatternsAndOmittedMembers) {
  const PlanFile read = plan_from_json(
      R"({"schema":"fp8q/plan/1","sites":[{"site":"*","format":"int8"},{"site":"*/weight",
          "granularity":"tensor","observer":"mse","reason":"small"}]})",
      "mine.json");
  const PlannedLinear linear;
  const Plan plan = linear.plan(read.choices);
  EXPECT_EQ(plan_of(plan, "W").format, Format::int8);
  EXPECT_EQ(plan_of(plan, "W").scales.size(), 1u);
  EXPECT_EQ(plan_of(plan, "W").reason, "mse of the tensor; small");
  EXPECT_EQ(plan_of(plan, "x").reason, "absmax of 6 values; mine.json");
}

TEST(PlanFile, WhatIsWrongIsNamed) {
  const PlannedLinear linear;
  const std::string good = plan_to_json(linear.plan({}));
  const auto expect = [&](const std::string& bytes, ErrorCode code, const std::string& where) {
    try {
      linear.plan(plan_from_json(bytes, "plan.json").choices);
      ADD_FAILURE() << "accepted: " << bytes.substr(0, 100);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(where), std::string::npos) << error.what();
    }
  };
  const auto changed = [&](auto change) {
    auto json = nlohmann::json::parse(good);
    change(json);
    return json.dump();
  };
  constexpr auto bad = ErrorCode::bad_data;
  constexpr auto usage = ErrorCode::usage;
  for (size_t i = 0; i + 1 < good.size(); ++i) expect(good.substr(0, i), bad, "plan.json");
  expect(std::string(1000, '['), bad, "nested");
  expect("{\"sites\":[]," + good.substr(1), bad, "plan.json: the key \"sites\" stands twice");
  expect(changed([](auto& j) { j["schema"] = "fp8q/plan/2"; }), bad,
         "expected \"fp8q/plan/1\", found \"fp8q/plan/2\"");
  expect(changed([](auto& j) { j["site"] = 1; }), bad, "plan.json: has a member \"site\"");
  expect(changed([](auto& j) { j["sites"][1].erase("site"); }), bad,
         "sites[1]: \"site\" is missing");
  expect(changed([](auto& j) { j["sites"][1]["formt"] = 1; }), bad, "\"formt\"; there are site");
  expect(changed([](auto& j) { j["sites"][1]["format"] = 8; }), bad, "sites[1].format");
  expect(changed([](auto& j) { j["sites"][1]["format"] = "fp8"; }), usage, "\"fp8\" is no format");
  expect(changed([](auto& j) { j["sites"][1]["observer"] = "mse:1"; }), usage, "no parameter");
  expect(changed([](auto& j) { j["sites"][1]["site"] = "layer.9/x"; }), usage,
         "plan.json: sites[1]: \"layer.9/x\" is none of the model's 2 Sites");
  expect(changed([](auto& j) { j["sites"][1]["format"] = "float"; }), usage,
         "plan.json: sites[0]: node:xW/input cannot be e4m3: the other operand, node:xW/weight, "
         "stays in floating point");
  expect(changed([](auto& j) { j["sites"][1]["format"] = "int8"; }), usage,
         "no hardware multiplies INT8 with FP8");
}

}  // namespace
}  // namespace fp8q::test
