// Contains what a warp does together: sums, matrix fragments, products on tensor cores.
#pragma once

#include <cuda_fp16.h>

#include "kernels/cuda/launch.cuh"

namespace fp8q::cuda {

constexpr int kWarpThreads = 32;

__device__ inline float warp_sum(float x) {
  for (int mask = kWarpThreads / 2; mask > 0; mask /= 2) x += __shfl_xor_sync(0xFFFFFFFFu, x, mask);
  return x;
}

// Returns the larger magnitude, or NaN if one is NaN.
__host__ __device__ inline float larger(float a, float b) { return a > b || a != a ? a : b; }

__device__ inline float warp_largest(float x) {
  for (int mask = kWarpThreads / 2; mask > 0; mask /= 2)
    x = larger(x, __shfl_xor_sync(0xFFFFFFFFu, x, mask));
  return x;
}

// These two reduce over the four threads that hold one row of a product's fragment.
__device__ inline float quad_sum(float x) {
  x += __shfl_xor_sync(0xFFFFFFFFu, x, 1);
  return x + __shfl_xor_sync(0xFFFFFFFFu, x, 2);
}
__device__ inline float quad_max(float x) {
  x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, 1));
  return fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, 2));
}

// Fragments of mma.m16n8k16 are laid out as follows (PTX ISA, "Matrix Fragments for mma.m16n8k16
// with floating point type"), where g = lane / 4 and t = lane % 4. Each register holds two
// neighbors of k:
//   B: [0] k 2t, column g   [1] k 2t+8, column g
//   C: [0], [1] row g, columns 2t, 2t+1   [2], [3] row g+8
using FragmentA = uint32_t[4];
using FragmentB = uint32_t[2];
using FragmentC = float[4];

#ifdef FP8Q_CUDA_SIMULATION

inline float half_bits_to_float(uint32_t word, int which) {
  __half_raw raw;
  raw.x = static_cast<unsigned short>(word >> (16 * which));
  return __half2float(__half(raw));
}

inline void mma(FragmentC& c, const FragmentA& a, const FragmentB& b) {
  const uint32_t mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  const uint32_t* all = sim::warp_gather(mine, 6);
  const int g = sim::lane() / 4, t = sim::lane() % 4;
  for (int i = 0; i < 4; ++i) {
    const int row = g + (i / 2) * 8, column = 2 * t + i % 2;
    double sum = 0;
    for (int k = 0; k < 16; ++k) {
      const int holder = (k % 8) / 2, half = k / 8;
      const uint32_t aw = all[((row % 8) * 4 + holder) * 6 + row / 8 + 2 * half];
      const uint32_t bw = all[(column * 4 + holder) * 6 + 4 + half];
      sum += static_cast<double>(half_bits_to_float(aw, k % 2)) * half_bits_to_float(bw, k % 2);
    }
    c[i] += static_cast<float>(sum);
  }
}

// Returns in `r` what a lane receives of four 8 x 8 matrices whose rows the lanes point to.
template <bool kTransposed>
void load_matrices(uint32_t (&r)[4], const __half* row) {
  const uint64_t* rows = sim::warp_gather(reinterpret_cast<uint64_t>(row));
  const int g = sim::lane() / 4, t = sim::lane() % 4;
  const auto element = [&](int matrix, int i, int j) -> uint32_t {
    return reinterpret_cast<const uint16_t*>(rows[8 * matrix + i])[j];
  };
  for (int m = 0; m < 4; ++m)
    r[m] = kTransposed ? element(m, 2 * t, g) | element(m, 2 * t + 1, g) << 16
                       : element(m, g, 2 * t) | element(m, g, 2 * t + 1) << 16;
}

#else

__device__ inline void mma(FragmentC& c, const FragmentA& a, const FragmentB& b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Loads four 8 x 8 matrices from shared memory. Lane 8 m + i points to row i of matrix m.
template <bool kTransposed>
__device__ inline void load_matrices(uint32_t (&r)[4], const __half* row) {
  const auto address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
}

#endif

}  // namespace fp8q::cuda
