// FP32 matrix product with packed weights: C = (A B) * scale + bias.
//
// Every element of C is one chain of fused multiply-adds over k in ascending order, started at
// zero. So its value depends on its own row of A and column of B only: not on M, not on how M and N
// are divided into calls, not on the thread, and not on the instruction set (the scalar level,
// which has no fma, rounds products as well). One call runs on one thread; callers divide the work.
//
// Non-goals: transposed A, alpha and beta, splitting K.
#pragma once

#include <cstddef>

namespace fp8q::cpu {

// B is packed in panels of this many columns: panel p holds the columns [16 p, 16 p + 16), for each
// k the 16 values one after another. The last panel is filled up with zeros. All ISAs share the
// layout.
inline constexpr size_t kPanel = 16;

constexpr size_t panels(size_t n) { return (n + kPanel - 1) / kPanel; }
constexpr size_t packed_size(size_t k, size_t n) { return panels(n) * k * kPanel; }

// B[k][n] = b[k * row_stride + n * column_stride].
struct PackF32 {
  const float* b;
  size_t row_stride, column_stride;
  size_t k, n;
  float* packed;  // packed_size(k, n), aligned to 64 bytes
};
void pack_f32(const PackF32& args) noexcept;

struct GemmF32 {
  const float* a;  // [m, k], rows lda apart
  size_t lda;
  const float* b;       // packed panels
  size_t panel_stride;  // distance of panels: 16 times the K they were packed with
  float* c;             // [m, n], rows ldc apart
  size_t ldc;
  const float* scale;  // per column, filled up to whole panels; nullptr: none
  const float* bias;   // as scale; added to the scaled sum, rounded separately
  size_t m, n, k;
};
void gemm_f32(const GemmF32& args) noexcept;

}  // namespace fp8q::cpu
