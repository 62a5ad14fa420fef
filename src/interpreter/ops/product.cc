#include "interpreter/ops/product.h"

#include <algorithm>

// The vector width does not change the results: every element has its own sum, products of floats
// are exact in double, and contraction to fused operations is off.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FP8Q_FOR_EACH_ISA __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FP8Q_FOR_EACH_ISA
#endif

namespace fp8q {
namespace {

// kRows rows are computed together, so that a row of b is converted to double once for all of them.
// The columns are limited so that their sums stay in the first-level cache.
constexpr int64_t kRows = 4;
constexpr int64_t kColumns = 256;

struct Block {
  const float* a[kRows];
  const float* b;
  int64_t b_stride;
  int64_t k;
  int64_t columns;
};

FP8Q_FOR_EACH_ISA void add_products(const Block& block, double (*sums)[kColumns]) {
  for (int64_t p = 0; p < block.k; ++p) {
    const float* __restrict b = block.b + p * block.b_stride;
    const double a0 = static_cast<double>(block.a[0][p]);
    const double a1 = static_cast<double>(block.a[1][p]);
    const double a2 = static_cast<double>(block.a[2][p]);
    const double a3 = static_cast<double>(block.a[3][p]);
    double* __restrict s0 = sums[0];
    double* __restrict s1 = sums[1];
    double* __restrict s2 = sums[2];
    double* __restrict s3 = sums[3];
    for (int64_t j = 0; j < block.columns; ++j) {
      const double x = static_cast<double>(b[j]);
      s0[j] += a0 * x;
      s1[j] += a1 * x;
      s2[j] += a2 * x;
      s3[j] += a3 * x;
    }
  }
}

}  // namespace

void product(const float* a, const float* b, double* out, int64_t m, int64_t k, int64_t n) {
  double sums[kRows][kColumns];
  for (int64_t column = 0; column < n; column += kColumns)
    for (int64_t row = 0; row < m; row += kRows) {
      Block block{{}, b + column, n, k, std::min(kColumns, n - column)};
      // Beyond the last row, that row is computed again and dropped.
      for (int64_t r = 0; r < kRows; ++r) block.a[r] = a + std::min(row + r, m - 1) * k;
      for (auto& line : sums) std::fill_n(line, block.columns, 0.0);
      add_products(block, sums);
      for (int64_t r = 0; r < std::min(kRows, m - row); ++r)
        std::copy_n(sums[r], block.columns, out + (row + r) * n + column);
    }
}

MatMulPlan plan_matmul(const OpContext& context, const Shape& a, const Shape& b) {
  if (a.empty() || b.empty()) context.reject("multiplies a scalar");
  MatMulPlan plan;
  const bool a_is_vector = a.size() == 1;
  const bool b_is_vector = b.size() == 1;
  plan.m = a_is_vector ? 1 : a[a.size() - 2];
  plan.k = a.back();
  plan.n = b_is_vector ? 1 : b.back();
  if (plan.k != (b_is_vector ? b[0] : b[b.size() - 2]))
    context.reject("cannot multiply {} and {}", to_string(a), to_string(b));
  const Shape a_batch(a.begin(), a.end() - (a_is_vector ? 1 : 2));
  const Shape b_batch(b.begin(), b.end() - (b_is_vector ? 1 : 2));
  const auto batch = broadcast(a_batch, b_batch);
  if (!batch) context.reject("cannot multiply {} and {}", to_string(a), to_string(b));
  plan.batch = *batch;
  plan.a_batch = broadcast_strides(a_batch, plan.batch);
  plan.b_batch = broadcast_strides(b_batch, plan.batch);
  plan.out = plan.batch;
  if (!a_is_vector) plan.out.push_back(plan.m);
  if (!b_is_vector) plan.out.push_back(plan.n);
  return plan;
}

}  // namespace fp8q
