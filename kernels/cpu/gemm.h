// Forms matrix products with packed weights: C = (A B) * scale + bias.
//
// B is packed in panels of 16 columns. Panel p holds the columns [16 p, 16 p + 16). A step of k is
// one, two or four values of k; for each step, the panel holds those of the 16 columns one after
// another. The last panel and the last step are filled up with zeros. All instruction sets share
// the layouts. One call runs on one thread; callers divide the work.
//
// Every element of C depends only on its own row of A and column of B. It does not depend on M, on
// how M and N are divided into calls, on the thread, or on the instruction set. (The exception is
// plain C, which has no fma and also rounds the products of FP32 and FP8.)
//
//   gemm_f32   one chain of fused multiply-adds over k in ascending order, started at zero
//   gemm_bf16  the same chain for BF16 values, by dot products (AVX512-BF16)
//   gemm_f8    the same chain for FP32 or BF16 values in A and FP8 codes in B, decoded a panel at a
//              time: B takes a quarter or half of the memory
//   gemm_i8    exact INT32 sums of INT8 codes, rounded to FP32 once: by dot products (AVX512-VNNI),
//              or as products of 16 bits
//
// gemm_bf16 and gemm_f8 give the bits of gemm_f32 for the same values, unless operands or sums are
// subnormal in FP32. Dot products take these for zeros; codes and sums of their products are not
// subnormal.
//
// The kernels do not support transposed A, alpha and beta, splitting K, or zero points.
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
  size_t panel_stride;  // distance of panels: 16 times the K they were packed with, filled up
  float* c;             // [m, n], rows ldc apart
  size_t ldc;
  const float* scale;  // one per column, filled up to whole panels; nullptr: none
  const float* bias;   // laid out as scale; added to the scaled sum, rounded separately
  size_t m, n, k;
  const int32_t* start = nullptr;  // for INT8 only, laid out as scale; see there
};

// Describes B by B[k][n] = b[k * row_stride + n * column_stride].
template <typename T>
struct Pack {
  const T* b;
  size_t row_stride, column_stride;
  size_t k, n;
};

using GemmF32 = Gemm<float, float>;
// `packed` has packed_size(k, n) elements, aligned to 64 bytes.
void pack_f32(const Pack<float>& args, float* packed) noexcept;
void gemm_f32(const GemmF32& args) noexcept;

// Dot products take two or four steps of k at a time, so k is filled up with zeros in A and B.
constexpr size_t paired(size_t k) { return (k + 1) / 2 * 2; }
constexpr size_t in_fours(size_t k) { return (k + 3) / 4 * 4; }

// A and B hold pairs of k, the second value first: vdpbf16ps adds the product of the upper halves,
// then that of the lower halves, each rounded as by fma. If the CPU has no such instruction, two
// fma do the same, slowly, for tests.
using GemmBf16 = Gemm<uint16_t, uint16_t>;  // a: lda >= paired(k), even
// Packs values that BF16 has. `packed` has packed_size(paired(k), n) elements.
void pack_bf16(const Pack<float>& args, uint16_t* packed) noexcept;
void gemm_bf16(const GemmBf16& args) noexcept;

// `b` holds codes of a format with has_f8_panels(): a float of 8 bits. Its exponents are those of
// FP16 except for an offset, so that decoding takes two instructions. FP16 has no place for the NaN
// of E4M3. Packing fails if a code is not that of a finite value, or if the format has no such
// panels.
using GemmF8 = Gemm<float, uint8_t>;
using GemmF8Bf16 = Gemm<uint16_t, uint8_t>;  // a: as in GemmBf16
bool has_f8_panels(Format format) noexcept;
// `packed` has packed_size(paired(k), n) elements.
bool pack_f8(Format format, const Pack<uint8_t>& args, uint8_t* packed) noexcept;
// Returns what the sums have been divided by, a power of two. `scale` must contain this factor in
// addition.
float f8_scale(Format format) noexcept;
void gemm_f8(Format format, const GemmF8& args) noexcept;
void gemm_f8(Format format, const GemmF8Bf16& args) noexcept;

// |a b| <= 2^14: sums of fewer than 2^17 products stay below 2^31.
inline constexpr size_t kMostExactDepth = (1 << 17) - 1;

// INT8 codes are widened to 16 bits and multiplied by vpmaddwd. vpmaddubsw is no faster if sums
// must be exact: its 16-bit sums of pairs saturate, so that signs have to be moved and every sum
// widened.
//
// With AVX2 half of the products are replaced by additions (S. Winograd, A new algorithm for inner
// product, 1968): of every four k,
//
//   x0 w0 + x1 w1 + x2 w2 + x3 w3 = (x0 + w2) (x2 + w0) + (x1 + w3) (x3 + w1)
//                                   - (x0 x2 + x1 x3) - (w0 w2 + w1 w3)
//
// The third term is one number for a row, and the last is one for a column. Integers make this
// exact. CPUs have more ports for additions than for products: on Zen 3, loops on registers reach
// 189 instead of 153 Gop/s a core.
using GemmI8 = Gemm<int16_t, int8_t>;  // a: lda >= in_fours(k)
// `packed` has packed_size(in_fours(k), n) elements. `start` has panels(n) * kPanel: the last term
// of every column, which GemmI8::start needs.
void pack_i8(const Pack<int8_t>& args, int8_t* packed, int32_t* start) noexcept;
void gemm_i8(const GemmI8& args) noexcept;

// INT8 codes are multiplied in fours of k (vpdpbusd). The instruction multiplies unsigned by
// signed: `a` holds code + 128, and the sums of a column start at -128 times the sum of its codes.
// Without the instruction other ones do the same, slowly, for tests.
using GemmU8 = Gemm<uint8_t, int8_t>;  // a: lda >= in_fours(k); start: needed
// `packed` has packed_size(in_fours(k), n) elements, `start` has panels(n) * kPanel.
void pack_i8_fours(const Pack<int8_t>& args, int8_t* packed, int32_t* start) noexcept;
void gemm_i8(const GemmU8& args) noexcept;

}  // namespace fp8q::cpu
