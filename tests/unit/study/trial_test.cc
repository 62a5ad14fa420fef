#include "study/trial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/study/study_testing.h"

namespace fp8q::test {
namespace {

class TrialsOfEveryFormat : public testing::TestWithParam<const char*> {
 protected:
  const Recipe& recipe() const { return *recipe_named(GetParam()); }
  const Encoder encoder_ = random_encoder(*random_shape_named("tiny"));
  const Plan plan_ = plan_of(encoder_, recipe());
  Trials trials_{encoder_, plan_};
  std::vector<bool> none() const { return std::vector<bool>(encoder_.sites.size(), false); }
  std::vector<bool> only(const std::vector<size_t>& sites) const {
    std::vector<bool> rounded = none();
    for (const size_t s : sites) rounded[s] = true;
    return rounded;
  }
  std::vector<float> logits(Engine& engine) const { return engine.run(words(5)).front().values; }
};
INSTANTIATE_TEST_SUITE_P(Formats, TrialsOfEveryFormat,
                         testing::Values("e4m3", "e5m2", "int8", "int8-dynamic"),
                         [](const auto& format) {
                           std::string name(format.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_P(TrialsOfEveryFormat, NothingRoundedIsTheFloatModel) {
  const auto engine = make_cpu_engine(encoder_, ComputeType::fp32);
  EXPECT_EQ(logits(*trials_.engine_with(none())), logits(*engine));
}

TEST_P(TrialsOfEveryFormat, EverythingRoundedIsTheQuantizedModel) {
  // Encoders are quantized here as bench does: scales, codes, Sites. Tables stay as they are in a
  // trial.
  Encoder quantized = quantized_encoder(encoder_, recipe(), observed_absmax(encoder_, 1));
  quantized.embeddings = encoder_.embeddings;
  const auto expected = logits(*make_cpu_engine(quantized, ComputeType::fp32));
  const auto rounded = logits(*trials_.engine_with(only(trials_.sites())));
  const auto unrounded = logits(*trials_.engine_with(none()));
  double error = 0, harm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(static_cast<double>(rounded[i] - expected[i]), 2);
    harm += std::pow(static_cast<double>(rounded[i] - unrounded[i]), 2);
  }
  // Sums round in another order, and now and then a value takes the next code.
  EXPECT_GT(harm, 0);
  EXPECT_LT(error, 0.01 * harm);
}

TEST_P(TrialsOfEveryFormat, OneWeightRoundedIsTheModelWithItsDequantizedCodes) {
  const Linear& output = encoder_.layers[1].output;
  const auto w = static_cast<size_t>(output.weight_site);
  const SitePlan& p = plan_.sites[w];
  Encoder other = encoder_;
  other.layers[1].output.weight =
      dequantized(quantized(output.weight, p.format, p.axis, p.scales), p.format, p.axis, p.scales);
  const auto rounded = logits(*trials_.engine_with(only({w})));
  EXPECT_EQ(rounded, logits(*make_cpu_engine(other, ComputeType::fp32)));
  EXPECT_NE(rounded, logits(*trials_.engine_with(none())));
}

TEST_P(TrialsOfEveryFormat, OneActivationRoundedIsTheEngineThatRoundsThere) {
  for (const EncoderLayer& layer : encoder_.layers)
    for (const int site : {layer.query.input_site, layer.attention.probabilities_site,
                           layer.attention.key_site, layer.output.input_site}) {
      const auto s = static_cast<size_t>(site);
      const SitePlan& plan = plan_.sites[s];
      if (!plan.quantized()) continue;
      Encoder other = encoder_;
      other.sites[s].quantization =
          Quantization{.format = plan.format,
                       .scale = Tensor::scalar(plan.per_token() ? 1.0f : plan.scales[0]),
                       .per_token = plan.per_token()};
      const auto expected = logits(*make_cpu_engine(other, ComputeType::fp32));
      const auto rounded = logits(*trials_.engine_with(only({s})));
      ASSERT_EQ(rounded.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(rounded[i], expected[i], 1e-5f) << encoder_.sites[s].path;
    }
}

TEST_P(TrialsOfEveryFormat, SitesAreThoseOfThePlan) {
  EXPECT_EQ(trials_.site_count(), encoder_.sites.size());
  for (const size_t s : trials_.sites()) EXPECT_TRUE(plan_.sites[s].quantized());
  const auto planned = std::ranges::count_if(plan_.sites, &SitePlan::quantized);
  EXPECT_EQ(trials_.sites().size(), static_cast<size_t>(planned));
}

}  // namespace
}  // namespace fp8q::test
