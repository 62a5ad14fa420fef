// Decodes FP8 codes into vectors. This header is included once per target.
#if defined(FP8Q_KERNELS_CPU_F8_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FP8Q_KERNELS_CPU_F8_INL_H_
#undef FP8Q_KERNELS_CPU_F8_INL_H_
#else
#define FP8Q_KERNELS_CPU_F8_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "kernels/cpu/f8_panels.h"
#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {

// Returns the codes' bits, moved to where FP16 has the same fields. The widened sign also stands in
// the bits of the exponent that a code lacks; it is cleared there.
template <class Codec, class D16>
HWY_INLINE hn::Vec<D16> half_bits(D16 d16, const uint8_t* codes) {
  using Panels = F8Panels<Codec>;
  const hn::Rebind<int8_t, D16> d8;
  const auto wide = hn::PromoteTo(d16, hn::LoadU(d8, reinterpret_cast<const int8_t*>(codes)));
  const auto bits = hn::ShiftLeft<Panels::kShift>(wide);
  if constexpr (Panels::kAbove == 0) return bits;
  else return hn::AndNot(hn::Set(d16, Panels::kAbove), bits);
}

// Returns a vector of the codes' values, divided by f8_scale().
template <class Codec>
HWY_INLINE VF decoded(const uint8_t* codes) {
  const hn::Rebind<int16_t, DF> d16;
  const hn::Rebind<hwy::float16_t, DF> half;
  return hn::PromoteTo(DF(), hn::BitCast(half, half_bits<Codec>(d16, codes)));
}

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
