#include "kernels/cpu/gemm_f32.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm_f32.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A tile of R rows and P panels is kept in registers. Of 16 (AVX2) or 32 (AVX-512) registers, 12
// and 24 hold sums, enough for the latency of two fma units and few enough loads per fma: AVX2 8
// loads for 12, AVX-512 10 for 24.
#if HWY_TARGET <= HWY_AVX3  // and all that extend it
constexpr size_t kRows = 6, kPanelsPerTile = 4;
#elif HWY_TARGET == HWY_AVX2
constexpr size_t kRows = 6, kPanelsPerTile = 1;
#else
constexpr size_t kRows = 2, kPanelsPerTile = 1;
#endif

// A panel's part of one K block, 24 KiB, stays in the level 1 cache while all rows use it.
constexpr size_t kBlock = 384;

using D = hn::CappedTag<float, kPanel>;
using V = hn::Vec<D>;
constexpr size_t kLanes = hn::MaxLanes(D());
constexpr size_t kVectors = kPanel / kLanes;

struct Tile {
  const float* a;
  size_t lda;
  const float* b;
  size_t panel_stride;
  float* c;
  size_t ldc;
  const float* scale;
  const float* bias;
  size_t columns, k;
  bool first, last;  // of the K blocks
};

template <size_t R, size_t W>
HWY_INLINE void finish(const Tile& t, V (&sum)[R][W]) {
  const D d;
  if (t.scale) {
    for (size_t w = 0; w < W; ++w) {
      const V scale = hn::LoadU(d, t.scale + w * kLanes);
      for (size_t r = 0; r < R; ++r) sum[r][w] = hn::Mul(sum[r][w], scale);
    }
  }
  if (t.bias) {
    for (size_t w = 0; w < W; ++w) {
      const V bias = hn::LoadU(d, t.bias + w * kLanes);
      for (size_t r = 0; r < R; ++r) sum[r][w] = hn::Add(sum[r][w], bias);
    }
  }
}

// The last columns of a matrix whose width is no multiple of the panel go through a copy.
template <size_t R, size_t W>
HWY_NOINLINE void load_narrow(const Tile& t, V (&sum)[R][W]) {
  HWY_ALIGN float row[W * kLanes] = {};
  for (size_t r = 0; r < R; ++r) {
    std::memcpy(row, t.c + r * t.ldc, t.columns * sizeof(float));
    for (size_t w = 0; w < W; ++w) sum[r][w] = hn::Load(D(), row + w * kLanes);
  }
}

template <size_t R, size_t W>
HWY_NOINLINE void store_narrow(const Tile& t, const V (&sum)[R][W]) {
  HWY_ALIGN float row[W * kLanes];
  for (size_t r = 0; r < R; ++r) {
    for (size_t w = 0; w < W; ++w) hn::Store(sum[r][w], D(), row + w * kLanes);
    std::memcpy(t.c + r * t.ldc, row, t.columns * sizeof(float));
  }
}

template <size_t R, size_t P>
HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
  const D d;
  const float* HWY_RESTRICT a = t.a;
  const float* HWY_RESTRICT b = t.b;
  const size_t lda = t.lda;
  const size_t stride = t.panel_stride;
  for (size_t k = 0; k < t.k; ++k) {
    V bk[P * kVectors];
    for (size_t p = 0; p < P; ++p)
      for (size_t v = 0; v < kVectors; ++v)
        bk[p * kVectors + v] = hn::LoadU(d, b + p * stride + k * kPanel + v * kLanes);
    for (size_t r = 0; r < R; ++r) {
      const V ak = hn::Set(d, a[r * lda + k]);
      for (size_t w = 0; w < P * kVectors; ++w) sum[r][w] = hn::MulAdd(ak, bk[w], sum[r][w]);
    }
  }
}

template <size_t R, size_t P>
HWY_NOINLINE void tile(const Tile& t) {
  const D d;
  constexpr size_t W = P * kVectors;
  const bool narrow = t.columns < P * kPanel;
  V sum[R][W];
  for (size_t r = 0; r < R; ++r)
    for (size_t w = 0; w < W; ++w) sum[r][w] = hn::Zero(d);
  if (!t.first) {
    if (narrow) {
      load_narrow<R, W>(t, sum);
    } else {
      for (size_t r = 0; r < R; ++r)
        for (size_t w = 0; w < W; ++w) sum[r][w] = hn::LoadU(d, t.c + r * t.ldc + w * kLanes);
    }
  }
  multiply<R, P>(t, sum);
  if (t.last) finish<R, W>(t, sum);
  if (narrow) return store_narrow<R, W>(t, sum);
  for (size_t r = 0; r < R; ++r)
    for (size_t w = 0; w < W; ++w) hn::StoreU(sum[r][w], d, t.c + r * t.ldc + w * kLanes);
}

template <size_t R, size_t P>
void tile_of(size_t rows, size_t wide, const Tile& t) {
  if constexpr (R > 1) {
    if (rows < R) return tile_of<R - 1, P>(rows, wide, t);
  }
  if constexpr (P > 1) {
    if (wide < P) return tile_of<R, P - 1>(rows, wide, t);
  }
  tile<R, P>(t);
}

// One group of panels for all rows: whole tiles, the last two of which share what is left for them
// (7 = 4 + 3, not 6 + 1).
void all_rows(Tile t, size_t m, size_t wide) {
  while (m > 0) {
    const size_t rows = m >= 2 * kRows || m <= kRows ? std::min(m, kRows) : (m + 1) / 2;
    tile_of<kRows, kPanelsPerTile>(rows, wide, t);
    t.a += rows * t.lda;
    t.c += rows * t.ldc;
    m -= rows;
  }
}

void Gemm(const GemmF32& g) {
  const size_t blocks = std::max<size_t>(1, (g.k + kBlock - 1) / kBlock);
  const size_t width = panels(g.n);
  for (size_t block = 0; block < blocks; ++block) {
    const size_t from = block * g.k / blocks;
    const size_t to = (block + 1) * g.k / blocks;
    for (size_t p = 0; p < width; p += kPanelsPerTile) {
      const size_t wide = std::min(kPanelsPerTile, width - p);
      const size_t column = p * kPanel;
      all_rows({.a = g.a + from,
                .lda = g.lda,
                .b = g.b + p * g.panel_stride + from * kPanel,
                .panel_stride = g.panel_stride,
                .c = g.c + column,
                .ldc = g.ldc,
                .scale = g.scale ? g.scale + column : nullptr,
                .bias = g.bias ? g.bias + column : nullptr,
                .columns = std::min(wide * kPanel, g.n - column),
                .k = to - from,
                .first = block == 0,
                .last = block + 1 == blocks},
               g.m, wide);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(Gemm);

void gemm_f32(const GemmF32& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  HWY_DYNAMIC_DISPATCH(Gemm)(args);
}

void pack_f32(const PackF32& args) noexcept {
  for (size_t p = 0; p < panels(args.n); ++p) {
    const size_t columns = std::min(kPanel, args.n - p * kPanel);
    for (size_t k = 0; k < args.k; ++k) {
      float* to = args.packed + (p * args.k + k) * kPanel;
      const float* from = args.b + k * args.row_stride + p * kPanel * args.column_stride;
      for (size_t n = 0; n < columns; ++n) to[n] = from[n * args.column_stride];
      for (size_t n = columns; n < kPanel; ++n) to[n] = 0.0f;
    }
  }
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
