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

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
