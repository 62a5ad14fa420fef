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
                     bool every_token = false) {
  OutputErrors errors(every_token);
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
  EXPECT_EQ(meaning_of({"score", false, 1, {}}, false), OutputMeaning::numbers);
  EXPECT_EQ(meaning_of({"hidden", true, 384, {}}, false), OutputMeaning::numbers);
  EXPECT_EQ(meaning_of({"entities", true, 9, {}}, true), OutputMeaning::classes);
}

TEST(OutputErrors, EqualOutputsHaveNoError) {
  const EngineOutput a{"logits", false, 3, {1, 2, 3, -4, 5, 6}};
  const OutputError e = error_of(a, a, batch_of({1, 1}));
  EXPECT_EQ(e.kl_sum, 0);
  EXPECT_EQ(e.agreement(), 1);
  EXPECT_EQ(e.numbers.noise, 0);
}

TEST(OutputErrors, DifferentOutputsAreRefused) {
  OutputErrors errors(false);
  const EngineOutput a{"logits", false, 2, {1, 2}}, b{"logits", false, 3, {1, 2, 3}};
  EXPECT_THROW(errors.add({a}, {b}, batch_of({1})), Error);
  EXPECT_THROW(errors.add({a}, {{"other", false, 2, {1, 2}}}, batch_of({1})), Error);
}

}  // namespace
}  // namespace fp8q
