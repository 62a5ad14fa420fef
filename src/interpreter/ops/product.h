// Implements matrix products: the shapes of MatMul, and the loops that all product operators share.
#pragma once

#include <cstdint>
#include <vector>

#include "interpreter/ops/layout.h"

namespace fp8q {

// Plans NumPy's matmul: matrices are in the last two dimensions, and the other dimensions
// broadcast. A vector on the left is a row, and one on the right is a column; its dimension is left
// out of the result.
struct MatMulPlan {
  int64_t m = 1;
  int64_t k = 1;
  int64_t n = 1;
  Shape batch;
  Strides a_batch;  // counted in matrices
  Strides b_batch;
  Shape out;
};
MatMulPlan plan_matmul(const OpContext& context, const Shape& a, const Shape& b);

// Computes out[i][j] = sum over p of a[i][p] * b[p][j] with p ascending. Products are exact, and
// sums are in double.
void product(const float* a, const float* b, double* out, int64_t m, int64_t k, int64_t n);

// Does the same for other types, with sums of type Sum (unsigned sums wrap around).
template <typename T, typename Sum>
void plain_product(const T* a, const T* b, Sum* out, int64_t m, int64_t k, int64_t n) {
  for (int64_t i = 0; i < m * n; ++i) out[i] = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t p = 0; p < k; ++p) {
      const Sum left = static_cast<Sum>(a[i * k + p]);
      for (int64_t j = 0; j < n; ++j) out[i * n + j] += left * static_cast<Sum>(b[p * n + j]);
    }
}

// Calls f(a, b, out) for every matrix of the batch, with the offsets of the matrices' first
// elements.
template <typename F>
void for_each_matrix(const MatMulPlan& plan, F&& f) {
  for_each_row<2>(plan.batch, {plan.a_batch, plan.b_batch},
                  [&](int64_t position, int64_t count, const auto& offsets, const auto& steps) {
                    for (int64_t i = 0; i < count; ++i)
                      f((offsets[0] + i * steps[0]) * plan.m * plan.k,
                        (offsets[1] + i * steps[1]) * plan.k * plan.n,
                        (position + i) * plan.m * plan.n);
                  });
}

}  // namespace fp8q
