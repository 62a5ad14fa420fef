// Makes the probabilities of attention from its scores.
#pragma once

#include <cstddef>

namespace fp8q::cpu {

// Computes p = softmax(x * sum_scale * scale) row by row, in place, over `columns` values. Both
// products are rounded, one after the other. Rows may be read up to the next multiple of 16, and
// are filled up to it with zeros.
struct Softmax {
  float* x;  // or int32_t at first, if `integer`
  size_t stride;
  size_t rows, columns;
  float scale;
  float sum_scale = 1.0f;
  bool integer = false;
};
void softmax(const Softmax& args) noexcept;

}  // namespace fp8q::cpu
