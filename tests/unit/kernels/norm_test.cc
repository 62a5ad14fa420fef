// Tests LayerNorm at the ends of FP32's range. Ordinary values are tested with the engine.
#include "kernels/cpu/norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fp8q::cpu {
namespace {

using testing::Each;
using testing::IsNan;

// Returns the LayerNorm of a row with gamma 2 and beta 3.
std::vector<float> normed(const std::vector<float>& x) {
  const std::vector<float> gamma(x.size(), 2.0f), beta(x.size(), 3.0f);
  std::vector<float> out(x.size());
  norm_rows({.x = x.data(),
             .x_stride = x.size(),
             .residual = nullptr,
             .residual_stride = 0,
             .gamma = gamma.data(),
             .beta = beta.data(),
             .epsilon = 1e-5f,
             .out = out.data(),
             .out_stride = x.size(),
             .rows = 1,
             .columns = x.size()});
  return out;
}

// Returns a row of +size and -size in turn.
std::vector<float> alternating(float size) {
  std::vector<float> x(37, size);
  for (size_t i = 1; i < x.size(); i += 2) x[i] = -size;
  x[0] = 0;  // the mean is 0
  return x;
}

// Graphs compute the squares in FP32.
TEST(NormRows, InfiniteSquaresLeaveTheBias) {
  EXPECT_THAT(normed(alternating(1e30f)), Each(3.0f));
  EXPECT_THAT(normed(alternating(2e19f)), Each(3.0f));
  std::vector<float> one(100, 0.0f);
  one[50] = 3e19f;
  EXPECT_THAT(normed(one), Each(3.0f)) << "one square is enough";
}

TEST(NormRows, FiniteSquaresWithAnInfiniteSumAreNormalized) {
  const std::vector<float> y = normed(alternating(1.8e19f));
  const double unit = std::sqrt(37.0 / 36);
  EXPECT_NEAR(y[1], 3 - 2 * unit, 1e-6);
  EXPECT_NEAR(y[2], 3 + 2 * unit, 1e-6);
}

TEST(NormRows, InfiniteDeviationsAreNaN) {
  std::vector<float> x = alternating(3e38f);
  x[0] = -3e38f;  // from a mean above 0, the lowest are further away than the largest float
  for (size_t i = 1; i < x.size(); ++i) x[i] = 3e38f;
  EXPECT_THAT(normed(x), Each(IsNan()));
}

}  // namespace
}  // namespace fp8q::cpu
