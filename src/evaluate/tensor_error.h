// How far one tensor is from another, summed over any number of parts in their order, in double.
#pragma once

#include <cstdint>
#include <span>

namespace fp8q {

struct TensorError {
  uint64_t values = 0;     // compared
  uint64_t nonfinite = 0;  // pairs left out because one of them is NaN or infinite
  double signal = 0;       // sum of squares of the reference
  double other = 0;        // sum of squares of the other tensor
  double product = 0;      // sum of products
  double noise = 0;        // sum of squares of the difference
  double largest = 0;      // absolute difference

  // The next values; of equal size.
  void add(std::span<const float> reference, std::span<const float> compared);

  // 1 where both are zero, 0 where one is.
  double cosine() const;
  // noise / signal; infinite where there is noise without a signal.
  double nmse() const;
};

}  // namespace fp8q
