#include "evaluate/tensor_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fp8q {
namespace {

TEST(TensorError, SumsAreThoseOfTheDefinition) {
  const std::vector<float> a = {3, -4, 0, 1}, b = {3, -2, 1, 1};
  TensorError error;
  error.add(a, b);
  EXPECT_EQ(error.values, 4u);
  EXPECT_EQ(error.signal, 26);
  EXPECT_EQ(error.other, 15);
  EXPECT_EQ(error.product, 18);
  EXPECT_EQ(error.noise, 5);
  EXPECT_EQ(error.largest, 2);
  EXPECT_DOUBLE_EQ(error.nmse(), 5.0 / 26);
  EXPECT_DOUBLE_EQ(error.cosine(), 18 / std::sqrt(26.0 * 15));
}

TEST(TensorError, PartsGiveTheSumOfTheWhole) {
  const std::vector<float> a = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f}, b = {0.1f, 0.25f, 0.3f, 0.3f, 0};
  TensorError whole, parts;
  whole.add(a, b);
  const std::span<const float> x(a), y(b);
  parts.add(x.first(2), y.first(2));
  parts.add(x.subspan(2), y.subspan(2));
  EXPECT_EQ(parts.noise, whole.noise);
  EXPECT_EQ(parts.signal, whole.signal);
  EXPECT_EQ(parts.largest, whole.largest);
}

TEST(TensorError, DegenerateTensors) {
  TensorError equal, from_zero, to_zero;
  equal.add(std::vector<float>{0, 0}, std::vector<float>{0, 0});
  EXPECT_EQ(equal.cosine(), 1);
  EXPECT_EQ(equal.nmse(), 0);
  from_zero.add(std::vector<float>{0, 0}, std::vector<float>{1, 0});
  EXPECT_EQ(from_zero.cosine(), 0);
  EXPECT_TRUE(std::isinf(from_zero.nmse()));
  to_zero.add(std::vector<float>{1, 0}, std::vector<float>{0, 0});
  EXPECT_EQ(to_zero.nmse(), 1);
}

TEST(TensorError, NumbersThatAreNotFiniteAreCountedAndLeftOut) {
  TensorError error;
  error.add(std::vector<float>{1, NAN, 2, INFINITY}, std::vector<float>{1, 1, NAN, INFINITY});
  EXPECT_EQ(error.nonfinite, 3u);
  EXPECT_EQ(error.values, 1u);
  EXPECT_EQ(error.noise, 0);
}

}  // namespace
}  // namespace fp8q
