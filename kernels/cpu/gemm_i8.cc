// Implements gemm_i8 of codes that are widened to 16 bits, and of codes in fours of k.
#include <algorithm>
#include <utility>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm_i8.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "kernels/cpu/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_AVX2
using D16 = hn::Repartition<int16_t, DI>;
using Pairs = hn::Vec<D16>;

HWY_INLINE Pairs weight_pairs(const int8_t* b) {
  const D16 d;
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<int8_t, D16>(), b));
}

HWY_INLINE Pairs row_pair(const int16_t* a) { return hn::BitCast(D16(), broadcast_bits(DI(), a)); }

HWY_INLINE void add_products(Pairs a, Pairs b, VI& sum) {
  VI unused = hn::Zero(DI());
  sum = hn::ReorderWidenMulAccumulate(DI(), a, b, sum, unused);
#if HWY_TARGET == HWY_AVX2 && HWY_COMPILER_GCC_ACTUAL
  // This pins the order. Otherwise g++ 12 hoists products until the 16 registers do not hold them,
  // and sums go through memory, at less than two thirds of the speed.
  auto raw = sum.raw;
  asm volatile("" : "+x"(raw));
  sum.raw = raw;
#endif
}
#else  // vectors of any width, also of one lane, without an instruction for pairs
struct Pairs {
  VI even, odd;
};
HWY_INLINE Pairs weight_pairs(const int8_t* b) {
  HWY_ALIGN int32_t even[kLanes], odd[kLanes];
  for (size_t i = 0; i < kLanes; ++i) {
    even[i] = b[2 * i];
    odd[i] = b[2 * i + 1];
  }
  return {hn::Load(DI(), even), hn::Load(DI(), odd)};
}
HWY_INLINE Pairs row_pair(const int16_t* a) { return {hn::Set(DI(), a[0]), hn::Set(DI(), a[1])}; }
HWY_INLINE void add_products(const Pairs& a, const Pairs& b, VI& sum) {
  sum = hn::Add(sum, hn::Add(hn::Mul(a.even, b.even), hn::Mul(a.odd, b.odd)));
}
#endif

struct WidenedPairs : LargeTiles {
  using D = DI;
  using V = VI;
  using Tile = HWY_NAMESPACE::Tile<int16_t, int8_t>;
  static constexpr size_t kStep = 2;
  // A panel's part of one block is 12 KiB, that of six rows 9 KiB. With one panel a tile both stay
  // in the level 1 cache, with four in the level 2 cache.
  static constexpr size_t kBlock = 384;

  static HWY_INLINE VF value(V sum) { return hn::ConvertTo(DF(), sum); }

  template <size_t R, size_t P, bool kFetch>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    const int16_t* HWY_RESTRICT a = t.a;
    const int8_t* HWY_RESTRICT b = t.b;
    const size_t lda = t.lda, stride = t.panel_stride;
    const char* next = t.next;
    // On Zen 3 this measured 7 to 8 % faster than one step at a time, for a K of 384 or more.
#pragma GCC unroll 2
    for (size_t i = 0; i < t.steps; ++i) {
      if constexpr (kFetch) next = fetch_line(next, t.next_bytes);
      Pairs bi[P * kVectors];
      for (size_t p = 0; p < P; ++p)
        for (size_t v = 0; v < kVectors; ++v)
          bi[p * kVectors + v] = weight_pairs(b + p * stride + 2 * (i * kPanel + v * kLanes));
      for (size_t r = 0; r < R; ++r) {
        const Pairs ai = row_pair(a + r * lda + 2 * i);
        for (size_t w = 0; w < P * kVectors; ++w) add_products(ai, bi[w], sum[r][w]);
      }
    }
  }
};

void widened_pairs(GemmI8 g) {
  g.start = nullptr;  // not needed
  multiply_packed<WidenedPairs>(
      g, [&](const int8_t* b, size_t, size_t) HWY_ATTR { return std::pair(b, g.panel_stride); });
}

#if HWY_TARGET == HWY_AVX2
// Multiplies fours of k by half as many products; see gemm.h. Panels are widened once, so that a
// vector of B takes a load and nothing more.
struct CrossedSums {
  static constexpr size_t kRows = 4, kPanelsPerTile = 1;  // of 16 registers, 8 are sums and 4 B's
  static constexpr bool kRowStart = true;
  using D = DI;
  using V = VI;
  using Tile = HWY_NAMESPACE::Tile<int16_t, int16_t>;
  static constexpr size_t kStep = 4;
  // A panel's part of one block is 48 KiB, which streams from the level 2 cache. On Zen 3 that
  // measured 5 % faster than 12 KiB, for a K of 1536, because sums are moved less often.
  static constexpr size_t kBlock = 384;

  static HWY_INLINE VF value(V sum) { return hn::ConvertTo(DF(), sum); }

  template <size_t R, size_t P, bool kFetch>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    static_assert(P == 1);
    const D16 d;
    const int16_t* HWY_RESTRICT a = t.a;
    const int16_t* HWY_RESTRICT b = t.b;
    const char* next = t.next;
    // On Zen 3 this measured 1 to 4 % faster than one step at a time.
#pragma GCC unroll 2
    for (size_t i = 0; i < t.steps; ++i) {
      if constexpr (kFetch) next = fetch_line(next, t.next_bytes);
      Pairs first[kVectors], second[kVectors];
      for (size_t v = 0; v < kVectors; ++v) {
        first[v] = hn::Load(d, b + 4 * i * kPanel + 2 * v * kLanes);
        second[v] = hn::Load(d, b + (4 * i + 2) * kPanel + 2 * v * kLanes);
      }
      for (size_t r = 0; r < R; ++r) {
        const Pairs x01 = row_pair(a + r * t.lda + 4 * i);
        const Pairs x23 = row_pair(a + r * t.lda + 4 * i + 2);
        for (size_t v = 0; v < kVectors; ++v)
          sum[r][v] = hn::Add(sum[r][v], VI{_mm256_madd_epi16(hn::Add(x01, second[v]).raw,
                                                              hn::Add(x23, first[v]).raw)});
      }
    }
  }
};

// Returns -(x0 x2 + x1 x3), summed over all fours of a row.
int32_t row_term(const int16_t* x, size_t k) {
  const D16 d;
  VI sum = hn::Zero(DI());
  size_t i = 0;
  // Every lane pair has each four's sum twice.
  for (; i + hn::MaxLanes(d) <= k; i += hn::MaxLanes(d)) {
    const Pairs v = hn::LoadU(d, x + i);
    const Pairs swapped = hn::BitCast(d, hn::Shuffle2301(hn::BitCast(DI(), v)));
    sum = hn::Add(sum, VI{_mm256_madd_epi16(v.raw, swapped.raw)});
  }
  int32_t rest = 0;
  for (; i < k; i += 4) rest += x[i] * x[i + 2] + x[i + 1] * x[i + 3];
  return -(hn::GetLane(hn::SumOfLanes(DI(), sum)) / 2 + rest);
}

void crossed_sums(const GemmI8& all) {
  constexpr size_t kMostRows = 192;
  HWY_ALIGN int16_t wide[CrossedSums::kBlock * CrossedSums::kStep * kPanel];
  int32_t row_start[kMostRows];
  for (size_t from = 0; from < all.m; from += kMostRows) {
    GemmI8 g = all;
    g.a += from * g.lda;
    g.c += from * g.ldc;
    g.m = std::min(kMostRows, all.m - from);
    for (size_t r = 0; r < g.m; ++r) row_start[r] = row_term(g.a + r * g.lda, in_fours(g.k));
    multiply_packed<CrossedSums>(
        g,
        [&](const int8_t* codes, size_t depth, size_t) HWY_ATTR {
          const D16 d;
          for (size_t i = 0; i < depth * kPanel; i += hn::MaxLanes(d))
            hn::Store(weight_pairs(codes + i), d, wide + i);
          return std::pair<const int16_t*, size_t>(wide, 0);
        },
        row_start);
  }
}

// Few rows do not repay the widening: on Zen 3, 12 rows took 1.1 times as long, 24 the same.
void pairs_of_k(const GemmI8& g) {
  if (g.m >= 24) crossed_sums(g);
  else widened_pairs(g);
}
#else
void pairs_of_k(const GemmI8& g) { widened_pairs(g); }
#endif

// Each operand holds four codes, unsigned for A and signed for B.
struct FourProducts : SmallTiles {
  static HWY_INLINE VI add(VI a, VI b, VI sum) {
    sum = hn::Add(sum, one<24>(a, b));
    sum = hn::Add(sum, one<16>(a, b));
    sum = hn::Add(sum, one<8>(a, b));
    return hn::Add(sum, one<0>(a, b));
  }
  template <int kBit>
  static HWY_INLINE VI one(VI a, VI b) {
    const VI unsigned_a = hn::And(hn::ShiftRight<kBit>(a), hn::Set(DI(), 0xFF));
    return hn::Mul(unsigned_a, hn::ShiftRight<24>(hn::ShiftLeft<24 - kBit>(b)));
  }
};

#if HWY_TARGET <= HWY_AVX3
// This is in assembly, because Highway 1.0 does not know the instruction.
struct DotProduct : LargeTiles {
  static HWY_INLINE VI add(VI a, VI b, VI sum) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
};
#else
using DotProduct = FourProducts;
#endif

template <class Product>
struct Fours : Product {
  using D = DI;
  using V = VI;
  using Operands = DI;
  using Tile = HWY_NAMESPACE::Tile<uint8_t, int8_t>;
  static constexpr size_t kStep = 4;
  static constexpr size_t kBlock = 384;  // 96 KiB of four panels in the level 2 cache

  static HWY_INLINE VF value(V sum) { return hn::ConvertTo(DF(), sum); }

  template <size_t R, size_t P, bool kFetch>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    multiply_steps<Fours, kFetch>(t, sum);
  }
};

template <class Product>
void fours_of_k(const GemmU8& g) {
  multiply_packed<Fours<Product>>(
      g, [&](const int8_t* b, size_t, size_t) HWY_ATTR { return std::pair(b, g.panel_stride); });
}
void fours_by_products(const GemmU8& g) { fours_of_k<FourProducts>(g); }
void fours_by_dots(const GemmU8& g) { fours_of_k<DotProduct>(g); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(pairs_of_k);
HWY_EXPORT(fours_by_products);
HWY_EXPORT(fours_by_dots);

void gemm_i8(const GemmI8& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  HWY_DYNAMIC_DISPATCH(pairs_of_k)(args);
}

void gemm_i8(const GemmU8& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  if (isa() >= Isa::avx512_vnni) HWY_DYNAMIC_DISPATCH(fours_by_dots)(args);
  else HWY_DYNAMIC_DISPATCH(fours_by_products)(args);
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
