#include "engine/row_functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::IsNan;

// Applies functions to rows of two columns of sequences of one and three tokens.
std::vector<float> applied(const std::vector<RowFunction>& functions,
                           const std::vector<float>& values) {
  const std::vector<int32_t> offsets = {0, 1, 4};
  std::vector<float> result;
  apply_functions(functions, {values.data(), 2, offsets, values.size() == 8}, result);
  return result;
}

const std::vector<float> kValues = {3, 4, 1, -2, 2, 5, 6, 0};

TEST(RowFunctions, PoolTheTokensOfEachSequence) {
  EXPECT_THAT(applied({RowFunction::first_token}, kValues), ElementsAre(3, 4, 1, -2));
  EXPECT_THAT(applied({RowFunction::mean}, kValues), ElementsAre(3, 4, 3, 1));
  EXPECT_THAT(applied({RowFunction::max}, kValues), ElementsAre(3, 4, 6, 5));
}

TEST(RowFunctions, ChangeEachRow) {
  EXPECT_THAT(applied({RowFunction::normalize}, {3, 4, 0, 0}),
              ElementsAre(FloatEq(0.6f), FloatEq(0.8f), 0, 0));
  EXPECT_THAT(applied({RowFunction::softmax}, {0, std::log(3.0f), 1000, 1000}),
              ElementsAre(FloatEq(0.25f), FloatEq(0.75f), 0.5f, 0.5f));
  EXPECT_THAT(applied({RowFunction::sigmoid}, {0, 1000, -1000, std::log(3.0f)}),
              ElementsAre(0.5f, 1, 0, FloatEq(0.75f)));
  EXPECT_THAT(applied({RowFunction::float16}, {1.0001f, 1e-9f, 70000, -2}),
              ElementsAre(1, 0, INFINITY, -2));
}

TEST(RowFunctions, FollowOneAnother) {
  EXPECT_THAT(applied({RowFunction::mean, RowFunction::normalize}, kValues),
              ElementsAre(FloatEq(0.6f), FloatEq(0.8f), FloatEq(3 / std::sqrt(10.0f)),
                          FloatEq(1 / std::sqrt(10.0f))));
  EXPECT_THAT(applied({RowFunction::float16, RowFunction::max}, kValues), ElementsAre(3, 4, 6, 5));
  EXPECT_THAT(applied({}, kValues), testing::ElementsAreArray(kValues));
}

TEST(RowFunctions, KeepNan) {
  const std::vector<float> tokens = {3, 4, 1, NAN, 2, 5, NAN, 0};
  EXPECT_THAT(applied({RowFunction::max}, tokens), ElementsAre(3, 4, IsNan(), IsNan()));
  EXPECT_THAT(applied({RowFunction::mean}, tokens), ElementsAre(3, 4, IsNan(), IsNan()));
}

}  // namespace
}  // namespace fp8q
