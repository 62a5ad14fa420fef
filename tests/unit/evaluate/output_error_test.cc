#include "evaluate/output_error.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fp8q/error.h"

namespace fp8q {
namespace {

PackedBatch batch_of(const std::vector<size_t>& lengths) {
  PackedBatch batch;
  for (const size_t length : lengths) batch.append(std::vector<int32_t>(length, 1), {});
  return batch;
}

OutputError error_of(const EngineOutput& a, const EngineOutput& b, const PackedBatch& batch,
                     const Encoder* encoder = nullptr) {
  OutputErrors errors(encoder);
  errors.add({a}, {b}, batch);
  return errors.outputs().front();
}

TEST(OutputErrors, KlOfTwoClassesIsThatOfTheFormula) {
  // Logits ln 3, 0 give probabilities 3/4, 1/4. Logits 0, 0 give 1/2 each.
  const float l = std::log(3.0f);
  const OutputError e = error_of({"logits", false, 2, {l, 0, 0, 0}},
                                 {"logits", false, 2, {0, 0, 0, l}}, batch_of({3, 4}));
  EXPECT_EQ(e.meaning, OutputMeaning::classes);
  EXPECT_EQ(e.decisions, 2u);
  const double first = 0.75 * std::log(1.5) + 0.25 * std::log(0.5);
  const double second = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
  EXPECT_NEAR(e.kl_sum, first + second, 1e-7);
  EXPECT_NEAR(e.kl_max, std::max(first, second), 1e-7);
  // The first row decides class 0 in both models. In the second row, the reference's first
  // of equals is class 0, and the other model's largest is class 1.
  EXPECT_EQ(e.equal, 1u);
  EXPECT_NEAR(e.loss_sum, -std::log(0.5) - std::log(0.25), 1e-7);
}

TEST(OutputErrors, PositionsAreDistributionsOverEachSequence) {
  const PackedBatch batch = batch_of({2, 3});
  const OutputError e =
      error_of({"start", true, 1, {5, 0, 0, 0, 5}}, {"start", true, 1, {5, 0, 0, 5, 0}}, batch);
  EXPECT_EQ(e.meaning, OutputMeaning::positions);
  EXPECT_EQ(e.decisions, 2u);
  EXPECT_EQ(e.equal, 1u);
  EXPECT_GT(e.kl_sum, 1);
}

TEST(OutputErrors, MeaningFollowsTheForm) {
  EXPECT_EQ(meaning_of({"score", false, 1, {}}, nullptr), OutputMeaning::numbers);
  EXPECT_EQ(meaning_of({"hidden", true, 384, {}}, nullptr), OutputMeaning::numbers);
  EXPECT_EQ(meaning_of({"logits", false, 3, {}}, nullptr), OutputMeaning::classes);
  EXPECT_EQ(meaning_of({"start", true, 1, {}}, nullptr), OutputMeaning::positions);
}

// Makes an encoder with a head that classifies tokens, and one output.
Encoder encoder_with(const EncoderOutput& output) {
  Encoder encoder;
  encoder.hidden = 8;
  encoder.head.resize(1);
  encoder.head[0].linear.out = 3;
  encoder.outputs = {output};
  return encoder;
}

TEST(OutputErrors, MeaningFollowsTheEncoder) {
  const auto meaning = [](const HeadRows& rows, bool per_token, int64_t width) {
    const Encoder encoder = encoder_with({"y", rows, {}});
    return meaning_of({"y", per_token, width, {}}, &encoder);
  };
  EXPECT_EQ(meaning({0, {}}, true, 3), OutputMeaning::classes);
  EXPECT_EQ(meaning({0, {RowFunction::softmax}}, true, 3), OutputMeaning::classes);
  EXPECT_EQ(meaning({0, {RowFunction::sigmoid}}, true, 3), OutputMeaning::numbers);
  EXPECT_EQ(meaning({}, true, 8), OutputMeaning::numbers);
  EXPECT_EQ(meaning({-1, {RowFunction::mean}}, false, 8), OutputMeaning::numbers);
}

TEST(OutputErrors, ProbabilitiesAreNotTakenAsLogits) {
  const Encoder encoder = encoder_with({"p", {0, {RowFunction::softmax}}, {}});
  const OutputError e = error_of({"p", false, 2, {0.75f, 0.25f}}, {"p", false, 2, {0.5f, 0.5f}},
                                 batch_of({3}), &encoder);
  EXPECT_NEAR(e.kl_sum, 0.75 * std::log(1.5) + 0.25 * std::log(0.5), 1e-7);
}

TEST(OutputErrors, EqualOutputsHaveNoError) {
  const EngineOutput a{"logits", false, 3, {1, 2, 3, -4, 5, 6}};
  const OutputError e = error_of(a, a, batch_of({1, 1}));
  EXPECT_EQ(e.kl_sum, 0);
  EXPECT_EQ(e.agreement(), 1);
  EXPECT_EQ(e.numbers.noise, 0);
}

TEST(OutputErrors, DifferentOutputsAreRefused) {
  OutputErrors errors(nullptr);
  const EngineOutput a{"logits", false, 2, {1, 2}}, b{"logits", false, 3, {1, 2, 3}};
  EXPECT_THROW(errors.add({a}, {b}, batch_of({1})), Error);
  EXPECT_THROW(errors.add({a}, {{"other", false, 2, {1, 2}}}, batch_of({1})), Error);
}

}  // namespace
}  // namespace fp8q
