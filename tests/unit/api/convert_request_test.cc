// Tests what options of a conversion ask for, before a model is opened and at its Sites.
#include "api/convert_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

std::string refusal(const ConvertOptions& options) {
  return error_of(ErrorCode::usage, [&] { plan_inputs(options); });
}

// Returns an activation and the weight that it meets.
std::vector<Site> linear_sites() {
  std::vector<Site> sites(2);
  sites[0].path = sites[0].value = "layer.0/ffn.output/input";
  sites[1].path = sites[1].value = "layer.0/ffn.output/weight";
  sites[1].kind = SiteKind::weight;
  sites[1].channel_axis = 1;
  for (Site& site : sites) {
    site.role = SiteRole::ffn_output;
    site.layer = 0;
    site.uses = {{0, 0}};
  }
  return sites;
}

TEST(ConvertRequest, DefaultsToE4M3AndAbsmax) {
  const PlanInputs inputs = plan_inputs({});
  EXPECT_EQ(inputs.recipe->name, "e4m3");
  EXPECT_EQ(inputs.options, PlanOptions());
  const PlanRequest request = plan_request(inputs, linear_sites());
  EXPECT_EQ(request.label(), "e4m3");
  EXPECT_EQ(request.sites[0].format, Format::e4m3);
  EXPECT_EQ(request.sites[1].granularity, Granularity::channel);
}

TEST(ConvertRequest, OptionsAreRead) {
  const PlanInputs inputs = plan_inputs({.recipe = "int8",
                                         .observer = "percentile:99.9",
                                         .weight_observer = "mse",
                                         .quantize_head = true,
                                         .sites = {"*/weight=float"}});
  EXPECT_EQ(inputs.recipe->name, "int8");
  EXPECT_EQ(inputs.options.observer.text(), "percentile:99.9");
  EXPECT_EQ(inputs.options.weight_observer.text(), "mse");
  EXPECT_TRUE(inputs.options.quantize_head);
  const PlanRequest request = plan_request(inputs, linear_sites());
  EXPECT_FALSE(request.sites[1].format);
  EXPECT_EQ(request.label(), "int8-mixed");
}

TEST(ConvertRequest, ContradictionsNameTheOption) {
  EXPECT_THAT(refusal({.recipe = "e9m9"}), HasSubstr("--format: \"e9m9\" is none of e4m3, "));
  EXPECT_THAT(refusal({.recipe = "int8-dynamic", .observer = "mse"}),
              HasSubstr("--observer: recipe int8-dynamic takes the absmax of each token"));
  EXPECT_THAT(refusal({.weight_observer = "ema"}), HasSubstr("--weight-observer: observer ema"));
  EXPECT_THAT(refusal({.observer = "mse", .smooth_quant = "auto"}),
              HasSubstr("--observer mse and --smooth-quant exclude each other"));
  EXPECT_THAT(refusal({.smooth_quant = "auto", .write_ranges = "x"}),
              HasSubstr("--write-ranges and --smooth-quant exclude each other"));
  EXPECT_THAT(refusal({.recipe = "int8", .plan = "plan.json"}),
              HasSubstr("--format and --plan exclude each other"));
}

TEST(ConvertRequest, ObserversOfActivationsSayNothingOfWeights) {
  const PlanInputs inputs = plan_inputs({.sites = {"*/weight=:ema"}});
  EXPECT_THROW(plan_request(inputs, linear_sites()), Error);
}

TEST(ConvertRequest, APlanFileHoldsTheRecipe) {
  const TemporaryFolder folder;
  const fs::path plan = folder.write(
      "plan.json",
      "{\"schema\":\"fp8q/plan/1\",\"recipe\":\"int8\",\"quantize_head\":true,\"model\":{\"name\":"
      "\"m.onnx\",\"sha256\":\"abc\"},\"sites\":[{\"site\":\"*/input\",\"format\":\"float\"}]}");
  const PlanInputs inputs = plan_inputs({.sites = {"*/input=int8"}, .plan = plan});
  EXPECT_EQ(inputs.recipe->name, "int8");
  EXPECT_TRUE(inputs.options.quantize_head);
  EXPECT_EQ(inputs.model_name, "m.onnx");
  ASSERT_EQ(inputs.choices.size(), 2u) << "--site comes after the plan";
  EXPECT_EQ(plan_request(inputs, linear_sites()).sites[0].format, Format::int8);
}

}  // namespace
}  // namespace fp8q::test
