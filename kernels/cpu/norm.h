// Applies LayerNorm to rows, alone or with the residual sum that precedes it.
//
// Everything is computed in double and rounded to FP32 once, after the residual sum, which is FP32.
// Only the range is that of FP32: squares beyond it are infinite (numeric/layer_norm.h).
// The reference interpreter does the same; a last bit may move a value to the next code of the
// quantization that follows. There are two passes (mean, then the variance of the centered values),
// with partial sums in an order that does not depend on the vector length (math-inl.h).
#pragma once

#include <cstddef>

namespace fp8q::cpu {

// Computes out = norm(x + residual). `residual` may be nullptr. `out` may be x or residual.
struct NormRows {
  const float* x;
  size_t x_stride;
  const float* residual;
  size_t residual_stride;
  const float* gamma;
  const float* beta;
  float epsilon;
  float* out;
  size_t out_stride;
  size_t rows, columns;
};
void norm_rows(const NormRows& args) noexcept;

// Computes to[i] += from[i].
void add_row(const float* from, size_t n, float* to) noexcept;

}  // namespace fp8q::cpu
