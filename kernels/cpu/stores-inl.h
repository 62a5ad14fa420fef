// Says how values in vectors of floats are written as elements of other types. This header is
// included once per target.
#if defined(FP8Q_KERNELS_CPU_STORES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FP8Q_KERNELS_CPU_STORES_INL_H_
#undef FP8Q_KERNELS_CPU_STORES_INL_H_
#else
#define FP8Q_KERNELS_CPU_STORES_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "hwy/highway.h"
#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {

// Each of these writes kVectors vectors of values at a time. kGroup columns stand together: if a
// row ends within a group, it is filled up with zeros. `scale` is that of the codes.
struct ToF32 {
  using T = float;
  static constexpr size_t kVectors = 1, kGroup = 1;
  static HWY_INLINE void store(const VF (&v)[kVectors], VF, T* to) { hn::StoreU(v[0], DF(), to); }
};
// Writes what DequantizeLinear gives.
struct ToRounded {
  using T = float;
  static constexpr size_t kVectors = 1, kGroup = 1;
  static HWY_INLINE void store(const VF (&v)[kVectors], VF scale, T* to) {
    hn::StoreU(hn::Mul(v[0], scale), DF(), to);
  }
};
// Writes values that BF16 has.
struct ToBf16 {
  using T = uint16_t;
  static constexpr size_t kVectors = 1, kGroup = 1;
  static HWY_INLINE void store(const VF (&v)[kVectors], VF, T* to) {
    const hn::Rebind<uint16_t, DF> d16;
    const auto upper = hn::ShiftRight<16>(hn::BitCast(DU(), v[0]));
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(DI(), upper)), d16, to);
  }
};
#if HWY_TARGET != HWY_SCALAR
struct ToBf16Pairs {
  using T = uint16_t;
  static constexpr size_t kVectors = 1, kGroup = 2;
  static HWY_INLINE void store(const VF (&v)[kVectors], VF scale, T* to) {
    ToBf16::store({hn::Shuffle2301(v[0])}, scale, to);
  }
};
#else
struct ToBf16Pairs {
  using T = uint16_t;
  static constexpr size_t kVectors = 2, kGroup = 2;
  static HWY_INLINE void store(const VF (&v)[kVectors], VF scale, T* to) {
    ToBf16::store({v[1]}, scale, to);
    ToBf16::store({v[0]}, scale, to + 1);
  }
};
#endif

// AVX2 packs integers of several vectors at once.
template <typename Integer>
inline constexpr size_t kPacked = HWY_TARGET == HWY_AVX2 ? sizeof(int32_t) / sizeof(Integer) : 1;

// Writes integers.
template <typename Integer, int kAdd = 0, size_t kTogether = kPacked<Integer>>
struct ToInteger {
  using T = Integer;
  static constexpr size_t kVectors = kTogether, kGroup = 1;
  static HWY_INLINE void store(const VF (&v)[kVectors], VF, T* to) {
    VI integers[kVectors];
    for (size_t i = 0; i < kVectors; ++i) integers[i] = hn::ConvertTo(DI(), v[i]);  // exact
    store(integers, to);
  }
  // Integers beyond those of 8 bits become the largest or lowest.
  static HWY_INLINE void store(const VI (&v)[kVectors], T* to) {
    if constexpr (kVectors > 1) {
      store_packed(v, to);
    } else {
      const DI di;
      const VI limited = hn::Min(hn::Max(v[0], hn::Set(di, -128)), hn::Set(di, 127));
      const hn::Rebind<T, DF> d;
      hn::StoreU(hn::DemoteTo(d, hn::Add(limited, hn::Set(di, kAdd))), d, to);
    }
  }

 private:
#if HWY_TARGET == HWY_AVX2
  // These instructions work within halves of 16 bytes.
  static HWY_INLINE void store_packed(const VI (&v)[kVectors], T* to) {
    if constexpr (kVectors == 4) {
      const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(v[0].raw, v[1].raw),
                                               _mm256_packs_epi32(v[2].raw, v[3].raw));
      const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
      const __m256i moved = _mm256_permutevar8x32_epi32(bytes, order);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                          _mm256_xor_si256(moved, _mm256_set1_epi8(static_cast<char>(kAdd))));
    } else {
      const __m256i limited = _mm256_max_epi16(
          _mm256_min_epi16(_mm256_packs_epi32(v[0].raw, v[1].raw), _mm256_set1_epi16(127)),
          _mm256_set1_epi16(-128));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to),
                          _mm256_permute4x64_epi64(limited, 0b11'01'10'00));
    }
  }
#endif
};
using ToI8 = ToInteger<int8_t>;
using ToU8 = ToInteger<uint8_t, 128>;
using ToI16 = ToInteger<int16_t>;
using ToI8OfTile = ToInteger<int8_t, 0, 1>;  // parts begin at any 16 columns of a tile's 64

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
