// Measures how far one tensor is from another. The sums run over any number of parts in their
// order, in double.
#pragma once

#include <cstdint>
#include <span>

namespace fp8q {

struct TensorError {
  uint64_t values = 0;     // number of pairs compared
  uint64_t nonfinite = 0;  // pairs left out because one of them is NaN or infinite
  double signal = 0;       // sum of squares of the reference
  double other = 0;        // sum of squares of the other tensor
  double product = 0;      // sum of products
  double noise = 0;        // sum of squares of the difference
  double largest = 0;      // largest absolute difference

  // Adds the next values. Both lists must be of equal size.
  void add(std::span<const float> reference, std::span<const float> compared);

  // Returns 1 if both tensors are zero, and 0 if one is.
  double cosine() const;
  // Returns noise / signal, which is infinite if there is noise without a signal.
  double nmse() const;
};

}  // namespace fp8q
