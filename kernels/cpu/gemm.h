// Matrix products with packed weights: C = (A B) * scale + bias.
//
// B is packed in panels of 16 columns: panel p holds the columns [16 p, 16 p + 16), for each step
// of k the 16 values one after another. The last panel is filled up with zeros. All instruction
// sets share the layout. One call runs on one thread; callers divide the work.
//
// Every element of C depends on its own row of A and column of B only: not on M, not on how M and N
// are divided into calls, not on the thread, and not on the instruction set (but plain C, which has
// no fma, rounds the products of FP32 and FP8 as well).
//
//   gemm_f32  one chain of fused multiply-adds over k in ascending order, started at zero
//   gemm_f8   the same of the values of FP8 codes, decoded a panel at a time: a quarter of the
//             memory, and the same bits (but where sums are subnormal)
//   gemm_i8   exact INT32 sums of INT8 codes, rounded to FP32 once; for CPUs that have no dot
//             products of 8-bit integers
//
// Non-goals: transposed A, alpha and beta, splitting K, zero points.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numeric/format.h"

namespace fp8q::cpu {

inline constexpr size_t kPanel = 16;

constexpr size_t panels(size_t n) { return (n + kPanel - 1) / kPanel; }
constexpr size_t packed_size(size_t k, size_t n) { return panels(n) * k * kPanel; }

template <typename A, typename B>
struct Gemm {
  const A* a;  // [m, k], rows lda apart
  size_t lda;
  const B* b;           // packed panels
  size_t panel_stride;  // distance of panels: 16 times the K they were packed with
  float* c;             // [m, n], rows ldc apart
  size_t ldc;
  const float* scale;  // per column, filled up to whole panels; nullptr: none
  const float* bias;   // as scale; added to the scaled sum, rounded separately
  size_t m, n, k;
};

// B[k][n] = b[k * row_stride + n * column_stride].
struct Pack {
  const float* b;
  size_t row_stride, column_stride;
  size_t k, n;
};

using GemmF32 = Gemm<float, float>;
void pack_f32(const Pack& args, float* packed) noexcept;  // packed_size(k, n), aligned to 64 bytes
void gemm_f32(const GemmF32& args) noexcept;

// b: codes of E4M3 or E5M2, packed from values that must be the format's own. Their exponents are
// those of FP16 but for an offset, which makes the decoding two instructions; the NaN of E4M3 has
// no place there. Packing fails where a value is not finite.
using GemmF8 = Gemm<float, uint8_t>;
bool pack_f8(Format format, const Pack& args, uint8_t* packed) noexcept;  // packed_size(k, n)
// What the sums have been divided by, and `scale` must hold in addition: a power of two.
float f8_scale(Format format) noexcept;
void gemm_f8(Format format, const GemmF8& args) noexcept;

// INT8 codes are widened to 16 bits and multiplied in pairs of k (vpmaddwd): a step of k is a pair,
// an odd k is filled up with a zero in A and B. vpmaddubsw is no faster where sums must be exact:
// its 16-bit sums of pairs saturate, so that signs have to be moved and every sum widened.
using GemmI8 = Gemm<int16_t, int8_t>;  // a: lda >= paired(k)
constexpr size_t paired(size_t k) { return (k + 1) / 2 * 2; }
// |a b| <= 2^14: sums of fewer than 2^17 products stay below 2^31.
inline constexpr size_t kMostExactDepth = (1 << 17) - 1;
void pack_i8(const Pack& args, int8_t* packed) noexcept;  // packed_size(paired(k), n)
void gemm_i8(const GemmI8& args) noexcept;

}  // namespace fp8q::cpu
