// Contains what packed products have in common: tiles of C kept in registers, and blocks of K whose
// panel stays in the level 1 cache. This header is included once per target.
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
#include "kernels/cpu/f8-inl.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {

// A tile of some rows and panels is kept in registers.
struct SmallTiles {
  static constexpr size_t kRows = 1, kPanelsPerTile = 1;
  static constexpr bool kRowStart = false;
};
// 12 of 16 (AVX2) or 24 of 32 (AVX-512) registers hold sums. That is enough for the latency of two
// units, with few loads per product: AVX2 has 8 loads for 12 products, AVX-512 10 for 24.
#if HWY_TARGET <= HWY_AVX3  // and all targets that extend it
struct LargeTiles {
  static constexpr size_t kRows = 6, kPanelsPerTile = 4;
  static constexpr bool kRowStart = false;
};
#elif HWY_TARGET == HWY_AVX2
struct LargeTiles {
  static constexpr size_t kRows = 6, kPanelsPerTile = 1;
  static constexpr bool kRowStart = false;
};
#else  // one row: g++ 12 reads beyond the rows if it makes vectors of two rows' pairs
using LargeTiles = SmallTiles;
#endif

inline constexpr size_t kVectors = kPanel / kLanes;
static_assert(kVectors * kLanes == kPanel);

// Tells the CPU to fetch a line into its level 2 cache. Returns the place some bytes further on.
HWY_INLINE const char* fetch_line(const char* from, size_t bytes) {
  __builtin_prefetch(from, 0, 2);
  return from + bytes;
}

// Converts elements of another type to a vector of d's type, and back.
template <class D>
HWY_INLINE hn::Vec<D> load_bits(D d, const void* from) {
#if HWY_TARGET == HWY_SCALAR
  hn::TFromD<D> one;
  std::memcpy(&one, from, sizeof(one));
  return hn::Set(d, one);
#else
  return hn::LoadU(d, static_cast<const hn::TFromD<D>*>(from));  // vectors alias everything
#endif
}
template <class D>
HWY_INLINE void store_bits(hn::Vec<D> v, [[maybe_unused]] D d, void* to) {
#if HWY_TARGET == HWY_SCALAR
  const auto one = hn::GetLane(v);
  std::memcpy(to, &one, sizeof(one));
#else
  hn::StoreU(v, d, static_cast<hn::TFromD<D>*>(to));
#endif
}
// Returns one element of d's type in all lanes.
template <class D>
HWY_INLINE hn::Vec<D> broadcast_bits(D d, const void* from) {
  hn::TFromD<D> one;
  std::memcpy(&one, from, sizeof(one));
  return hn::Set(d, one);
}

// Describes a part of a product. Between blocks of K, c holds the bits of the sums.
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
  const int32_t* start;      // by column; nullptr: zeros
  const int32_t* row_start;  // by row, added to `start`; nullptr: zeros
  size_t columns, steps;
  bool first, last;  // whether this is the first or last block of K
  // If next_bytes is not 0, so many bytes from `next` on are fetched in every step.
  const char* next = nullptr;
  size_t next_bytes = 0;
};

// Returns the values that c gets.
template <class Kernel, class T>
HWY_INLINE VF finished(const T& t, typename Kernel::V sum, size_t column) {
  const DF d;
  VF value = Kernel::value(sum);
  if (t.scale) value = hn::Mul(value, hn::LoadU(d, t.scale + column));
  if (t.bias) value = hn::Add(value, hn::LoadU(d, t.bias + column));
  return value;
}

// Does the steps of a tile if a vector of B is read as it stands. Kernel has Operands, which says
// how vectors of both sides are read, and add(a, b, sum).
template <class Kernel, bool kFetch, size_t R, size_t W>
HWY_INLINE void multiply_steps(const typename Kernel::Tile& t, typename Kernel::V (&sum)[R][W]) {
  const typename Kernel::Operands d;
  const auto* HWY_RESTRICT a = t.a;
  const auto* HWY_RESTRICT b = t.b;
  const size_t lda = t.lda, stride = t.panel_stride;
  constexpr size_t kStep = Kernel::kStep;
  const char* next = t.next;
  for (size_t i = 0; i < t.steps; ++i) {
    if constexpr (kFetch) next = fetch_line(next, t.next_bytes);
    hn::Vec<typename Kernel::Operands> bi[W];
    for (size_t p = 0; p < W / kVectors; ++p)
      for (size_t v = 0; v < kVectors; ++v)
        bi[p * kVectors + v] = load_bits(d, b + p * stride + kStep * (i * kPanel + v * kLanes));
    for (size_t r = 0; r < R; ++r) {
      const auto ai = broadcast_bits(d, a + r * lda + kStep * i);
      for (size_t w = 0; w < W; ++w) sum[r][w] = Kernel::add(ai, bi[w], sum[r][w]);
    }
  }
}

// Tells the CPU to fetch lines from `from` on into its level 2 cache.
HWY_INLINE void fetch(const void* from, size_t lines) {
  const auto* bytes = static_cast<const char*>(from);
  for (size_t i = 0; i < lines; ++i) __builtin_prefetch(bytes + 64 * i, 0, 2);
}

// All loops are unrolled, so that sums never leave their registers. A tile of a shallow product
// takes hardly longer than moving its sums. The lines of c, which may be far away, are on their way
// while the products are formed.
template <class Kernel, size_t R, size_t P>
HWY_NOINLINE void tile(const typename Kernel::Tile& shared) {
  const typename Kernel::Tile t = shared;  // a copy, because stores could alias `shared`
  const typename Kernel::D d;
  constexpr size_t W = P * kVectors;
  typename Kernel::V sum[R][W];
#pragma GCC unroll 16
  for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (size_t p = 0; p < P; ++p) __builtin_prefetch(t.c + r * t.ldc + p * kPanel, 1, 3);
  if (t.first) {
#pragma GCC unroll 16
    for (size_t w = 0; w < W; ++w) {
      sum[0][w] = hn::Zero(d);
      if (t.start) sum[0][w] = hn::BitCast(d, hn::LoadU(DI(), t.start + w * kLanes));
#pragma GCC unroll 16
      for (size_t r = 1; r < R; ++r) sum[r][w] = sum[0][w];
      if constexpr (Kernel::kRowStart)
#pragma GCC unroll 16
        for (size_t r = 0; r < R; ++r) sum[r][w] = hn::Add(sum[r][w], hn::Set(d, t.row_start[r]));
    }
  } else {
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 16
      for (size_t w = 0; w < W; ++w)
        sum[r][w] = hn::BitCast(d, hn::LoadU(DF(), t.c + r * t.ldc + w * kLanes));
  }
  if (t.next_bytes > 0) Kernel::template multiply<R, P, true>(t, sum);
  else Kernel::template multiply<R, P, false>(t, sum);
#pragma GCC unroll 16
  for (size_t w = 0; w < W; ++w)
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r)
      hn::StoreU(t.last ? finished<Kernel>(t, sum[r][w], w * kLanes) : hn::BitCast(DF(), sum[r][w]),
                 DF(), t.c + r * t.ldc + w * kLanes);
}

// The last columns of a matrix go through a copy of c if the width is not a multiple of the panel.
template <class Kernel, size_t R, size_t P>
HWY_NOINLINE void narrow_tile(typename Kernel::Tile t) {
  HWY_ALIGN float rows[R][P * kPanel] = {};
  float* const c = t.c;
  const size_t ldc = t.ldc;
  if (!t.first)
    for (size_t r = 0; r < R; ++r) std::memcpy(rows[r], c + r * ldc, t.columns * sizeof(float));
  t.c = rows[0];
  t.ldc = P * kPanel;
  tile<Kernel, R, P>(t);
  for (size_t r = 0; r < R; ++r) std::memcpy(c + r * ldc, rows[r], t.columns * sizeof(float));
}

template <class Kernel, size_t R, size_t P>
void tile_of(size_t rows, size_t wide, const typename Kernel::Tile& t) {
  if constexpr (R > 1) {
    if (rows < R) return tile_of<Kernel, R - 1, P>(rows, wide, t);
  }
  if constexpr (P > 1) {
    if (wide < P) return tile_of<Kernel, R, P - 1>(rows, wide, t);
  }
  if (t.columns < P * kPanel) return narrow_tile<Kernel, R, P>(t);
  tile<Kernel, R, P>(t);
}

// Describes the part of B that follows a group of panels.
struct NextPanels {
  const char* b;
  size_t lines;
};

// Multiplies one group of panels with all rows. Rows go in whole tiles; the last two tiles share
// the rows that are left for them (7 = 4 + 3, not 6 + 1). Each tile fetches its part of what is
// next. If it is so much that the tile would wait for the lines, it does so while it multiplies,
// which takes about 4 % longer where the lines are near. On Zen 3, with weights of 75 MB, that
// measured 1.2 times as fast for 32 rows, and 1.35 times for 8.
template <class Kernel>
void all_rows(typename Kernel::Tile t, size_t m, size_t wide, NextPanels next) {
  constexpr size_t kRows = Kernel::kRows, kMostLines = 16;
  const size_t tiles = (m + kRows - 1) / kRows;
  const size_t each = (next.lines + tiles - 1) / tiles;
  if (each > kMostLines) {
    t.next = next.b;
    t.next_bytes = (64 * each + t.steps - 1) / t.steps;
    next.lines = 0;
  }
  while (m > 0) {
    const size_t lines = std::min(each, next.lines);
    fetch(next.b, lines);
    next = {next.b + 64 * lines, next.lines - lines};
    const size_t rows = m >= 2 * kRows || m <= kRows ? std::min(m, kRows) : (m + 1) / 2;
    tile_of<Kernel, kRows, Kernel::kPanelsPerTile>(rows, wide, t);
    t.a += rows * t.lda;
    if constexpr (Kernel::kRowStart) t.row_start += rows;
    t.c += rows * t.ldc;
    t.next += t.steps * t.next_bytes;
    m -= rows;
  }
}

// Kernel is derived from SmallTiles or LargeTiles. It has the types D and V of sums, value(sum) as
// FP32, multiply<R, P, kFetch>(tile, sums), the Tile it takes, kStep (the values of k that it takes
// at a time) and kBlock (steps in a block of K). load(b, depth, wide) returns where `wide` panels
// of `depth` values of k from b stand as Tile::b, and how far apart they are.
template <class Kernel, typename A, typename B, class Load>
void multiply_packed(const Gemm<A, B>& g, const Load& load, const int32_t* row_start = nullptr) {
  const size_t steps = (g.k + Kernel::kStep - 1) / Kernel::kStep;
  const size_t blocks = std::max<size_t>(1, (steps + Kernel::kBlock - 1) / Kernel::kBlock);
  const size_t width = panels(g.n);
  for (size_t block = 0; block < blocks; ++block) {
    const size_t from = block * steps / blocks * Kernel::kStep;
    const size_t to = (block + 1) * steps / blocks * Kernel::kStep;
    for (size_t p = 0; p < width; p += Kernel::kPanelsPerTile) {
      const size_t wide = std::min(Kernel::kPanelsPerTile, width - p);
      const size_t column = p * kPanel;
      const bool same_block = p + wide < width;
      const B* next = same_block ? g.b + (p + wide) * g.panel_stride + from * kPanel
                                 : g.b + to * kPanel;  // of the first panels
      const bool any_next = same_block || block + 1 < blocks;
      const auto [b, stride] = load(g.b + p * g.panel_stride + from * kPanel, to - from, wide);
      all_rows<Kernel>({.a = g.a + from,
                        .lda = g.lda,
                        .b = b,
                        .panel_stride = stride,
                        .c = g.c + column,
                        .ldc = g.ldc,
                        .scale = g.scale ? g.scale + column : nullptr,
                        .bias = g.bias ? g.bias + column : nullptr,
                        .start = g.start ? g.start + column : nullptr,
                        .row_start = row_start,
                        .columns = std::min(wide * kPanel, g.n - column),
                        .steps = (to - from) / Kernel::kStep,
                        .first = block == 0,
                        .last = block + 1 == blocks},
                       g.m, wide,
                       {reinterpret_cast<const char*>(next),
                        any_next ? (to - from) * kPanel * sizeof(B) / 64 : 0});
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
