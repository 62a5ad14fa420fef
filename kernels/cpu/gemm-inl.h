// What packed products have in common: tiles of C kept in registers, blocks of K whose panel stays
// in the level 1 cache. Included once per target.
#if defined(FP8Q_KERNELS_CPU_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FP8Q_KERNELS_CPU_GEMM_INL_H_
#undef FP8Q_KERNELS_CPU_GEMM_INL_H_
#else
#define FP8Q_KERNELS_CPU_GEMM_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/cpu/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A tile of R rows and P panels is kept in registers. Of 16 (AVX2) or 32 (AVX-512) registers, 12
// and 24 hold sums, enough for the latency of two units and few enough loads per product: AVX2 8
// loads for 12, AVX-512 10 for 24.
#if HWY_TARGET <= HWY_AVX3  // and all that extend it
inline constexpr size_t kRows = 6, kPanelsPerTile = 4;
#elif HWY_TARGET == HWY_AVX2
inline constexpr size_t kRows = 6, kPanelsPerTile = 1;
#else  // one row: g++ 12 reads beyond the rows where it makes vectors of two rows' pairs
inline constexpr size_t kRows = 1, kPanelsPerTile = 1;
#endif

using DF = hn::CappedTag<float, kPanel>;
inline constexpr size_t kLanes = hn::MaxLanes(DF());
inline constexpr size_t kVectors = kPanel / kLanes;

// Part of a product. Between blocks of K, c holds the bits of the sums.
template <typename A, typename B>
struct Tile {
  const A* a;
  size_t lda;
  const B* b;
  size_t panel_stride;
  float* c;
  size_t ldc;
  const float* scale;
  const float* bias;
  size_t columns, steps;
  bool first, last;  // of the blocks of K
};

// What c gets.
template <class Kernel, class T>
HWY_INLINE hn::Vec<DF> finished(const T& t, typename Kernel::V sum, size_t column) {
  const DF d;
  if (!t.last) return hn::BitCast(d, sum);
  hn::Vec<DF> value = Kernel::value(sum);
  if (t.scale) value = hn::Mul(value, hn::LoadU(d, t.scale + column));
  if (t.bias) value = hn::Add(value, hn::LoadU(d, t.bias + column));
  return value;
}

// The last columns of a matrix whose width is no multiple of the panel go through a copy.
template <class Kernel, size_t R, size_t W, class T>
HWY_NOINLINE void load_narrow(const T& t, typename Kernel::V (&sum)[R][W]) {
  HWY_ALIGN float row[W * kLanes] = {};
  for (size_t r = 0; r < R; ++r) {
    std::memcpy(row, t.c + r * t.ldc, t.columns * sizeof(float));
    for (size_t w = 0; w < W; ++w)
      sum[r][w] = hn::BitCast(typename Kernel::D(), hn::Load(DF(), row + w * kLanes));
  }
}

template <class Kernel, size_t R, size_t W, class T>
HWY_NOINLINE void store_narrow(const T& t, const typename Kernel::V (&sum)[R][W]) {
  HWY_ALIGN float row[W * kLanes];
  for (size_t r = 0; r < R; ++r) {
    for (size_t w = 0; w < W; ++w)
      hn::Store(finished<Kernel>(t, sum[r][w], w * kLanes), DF(), row + w * kLanes);
    std::memcpy(t.c + r * t.ldc, row, t.columns * sizeof(float));
  }
}

template <class Kernel, size_t R, size_t P>
HWY_NOINLINE void tile(const typename Kernel::Tile& t) {
  const typename Kernel::D d;
  constexpr size_t W = P * kVectors;
  const bool narrow = t.columns < P * kPanel;
  typename Kernel::V sum[R][W];
  for (size_t r = 0; r < R; ++r)
    for (size_t w = 0; w < W; ++w) sum[r][w] = hn::Zero(d);
  if (!t.first) {
    if (narrow) {
      load_narrow<Kernel, R, W>(t, sum);
    } else {
      for (size_t r = 0; r < R; ++r)
        for (size_t w = 0; w < W; ++w)
          sum[r][w] = hn::BitCast(d, hn::LoadU(DF(), t.c + r * t.ldc + w * kLanes));
    }
  }
  Kernel::template multiply<R, P>(t, sum);
  if (narrow) return store_narrow<Kernel, R, W>(t, sum);
  for (size_t w = 0; w < W; ++w)
    for (size_t r = 0; r < R; ++r)
      hn::StoreU(finished<Kernel>(t, sum[r][w], w * kLanes), DF(), t.c + r * t.ldc + w * kLanes);
}

template <class Kernel, size_t R, size_t P>
void tile_of(size_t rows, size_t wide, const typename Kernel::Tile& t) {
  if constexpr (R > 1) {
    if (rows < R) return tile_of<Kernel, R - 1, P>(rows, wide, t);
  }
  if constexpr (P > 1) {
    if (wide < P) return tile_of<Kernel, R, P - 1>(rows, wide, t);
  }
  tile<Kernel, R, P>(t);
}

// One group of panels for all rows: whole tiles, the last two of which share what is left for them
// (7 = 4 + 3, not 6 + 1).
template <class Kernel>
void all_rows(typename Kernel::Tile t, size_t m, size_t wide) {
  while (m > 0) {
    const size_t rows = m >= 2 * kRows || m <= kRows ? std::min(m, kRows) : (m + 1) / 2;
    tile_of<Kernel, kRows, kPanelsPerTile>(rows, wide, t);
    t.a += rows * t.lda;
    t.c += rows * t.ldc;
    m -= rows;
  }
}

// Kernel: the types D and V of sums, value(sum) as FP32, multiply<R, P>(tile, sums), the Tile it
// takes, kStep (of k that it takes at a time) and kBlock (steps in a block of K).
// load(b, steps, wide): where and how far apart `wide` panels of `steps` steps from b stand as
// Tile::b.
template <class Kernel, typename A, typename B, class Load>
void multiply_packed(const Gemm<A, B>& g, const Load& load) {
  const size_t steps = (g.k + Kernel::kStep - 1) / Kernel::kStep;
  const size_t blocks = std::max<size_t>(1, (steps + Kernel::kBlock - 1) / Kernel::kBlock);
  const size_t width = panels(g.n);
  for (size_t block = 0; block < blocks; ++block) {
    const size_t from = block * steps / blocks * Kernel::kStep;
    const size_t to = (block + 1) * steps / blocks * Kernel::kStep;
    for (size_t p = 0; p < width; p += kPanelsPerTile) {
      const size_t wide = std::min(kPanelsPerTile, width - p);
      const size_t column = p * kPanel;
      const auto [b, stride] = load(g.b + p * g.panel_stride + from * kPanel, to - from, wide);
      all_rows<Kernel>({.a = g.a + from,
                        .lda = g.lda,
                        .b = b,
                        .panel_stride = stride,
                        .c = g.c + column,
                        .ldc = g.ldc,
                        .scale = g.scale ? g.scale + column : nullptr,
                        .bias = g.bias ? g.bias + column : nullptr,
                        .columns = std::min(wide * kPanel, g.n - column),
                        .steps = (to - from) / Kernel::kStep,
                        .first = block == 0,
                        .last = block + 1 == blocks},
                       g.m, wide);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
