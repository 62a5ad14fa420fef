// Defines what LayerNorm is where squares of FP32 numbers are infinite.
#pragma once

#include <cmath>
#include <limits>

namespace fp8q {

// Returns whether the square of a deviation from the mean may be infinite in FP32.
inline bool may_overflow(double sum_of_squares) {
  return sum_of_squares > double{std::numeric_limits<float>::max()};
}

// Returns 1 / sqrt(variance + epsilon) as graphs have it that compute in FP32, where the square of
// a deviation above 1.8e19 is infinite: the result is then 0, and the LayerNorm its bias. It is NaN
// if the largest deviation itself is infinite in FP32.
inline double inverse_deviation(double variance, double epsilon, double largest_deviation) {
  const auto largest = static_cast<float>(largest_deviation);
  if (std::isinf(largest)) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(largest * largest)) return 0;
  return 1.0 / std::sqrt(variance + epsilon);
}

}  // namespace fp8q
