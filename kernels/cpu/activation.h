// Applies element-wise functions to the result of a matrix product.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fp8q::cpu {

enum class Function { none, gelu_erf, gelu_tanh, relu, tanh };

// Computes x[r][c] = f(x[r][c]) in place.
struct Activate {
  Function function;
  float* x;
  size_t stride;
  size_t rows, columns;
};
void activate(const Activate& args) noexcept;

// Computes out[r][c] = f(sum[r][c] * (row_scale[r] * scale[c]) + bias[c]). This follows a product
// whose kernel gives plain sums. `sum` and `out` may be the same place.
struct FinishSums {
  const void* sum;  // float, or int32_t if `integer`
  bool integer;
  size_t sum_stride;
  const float* scale;                // nullptr: none
  const float* bias;                 // nullptr: none
  const float* row_scale = nullptr;  // nullptr: none
  Function function;
  float* out;
  size_t out_stride;
  size_t rows, columns;
};
void finish_sums(const FinishSums& args) noexcept;

// Computes dst[i] = src[i] * factor. dst and src may be the same place.
void scale_row(const float* src, float factor, size_t n, float* dst) noexcept;

}  // namespace fp8q::cpu
