// Defines the vectors of the kernels, which have up to 16 floats or the same number of integers.
// This header is included once per target.
#if defined(FP8Q_KERNELS_CPU_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FP8Q_KERNELS_CPU_VECTORS_INL_H_
#undef FP8Q_KERNELS_CPU_VECTORS_INL_H_
#else
#define FP8Q_KERNELS_CPU_VECTORS_INL_H_
#endif

#include <cstddef>
#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using DF = hn::CappedTag<float, 16>;
using DI = hn::RebindToSigned<DF>;
using DU = hn::RebindToUnsigned<DF>;
using VF = hn::Vec<DF>;
using VI = hn::Vec<DI>;
using VU = hn::Vec<DU>;
inline constexpr size_t kLanes = hn::MaxLanes(DF());

// Return the smaller (the larger) of `limit` and v, or v if v is NaN. On x86 the instructions
// return their second operand if one is NaN.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
HWY_INLINE VF at_most(VF limit, VF v) { return hn::Min(limit, v); }
HWY_INLINE VF at_least(VF limit, VF v) { return hn::Max(limit, v); }
#else
HWY_INLINE VF at_most(VF limit, VF v) { return hn::IfThenElse(hn::Gt(v, limit), limit, v); }
HWY_INLINE VF at_least(VF limit, VF v) { return hn::IfThenElse(hn::Lt(v, limit), limit, v); }
#endif

// Returns x / y, given the reciprocal of y as FP32 rounds it. With fma this is correctly rounded
// but for extreme values, and for a y whose mantissa is all ones perhaps not; see
// quantize_limits.h.
HWY_INLINE VF divided(VF x, VF y, [[maybe_unused]] VF inverse) {
#if HWY_NATIVE_FMA
  const VF q = hn::Mul(x, inverse);
  return hn::MulAdd(hn::NegMulAdd(q, y, x), inverse, q);
#else
  return hn::Div(x, y);
#endif
}

// Returns the first n values at x, followed by zeros.
HWY_INLINE VF load_first(const float* x, size_t n) {
  HWY_ALIGN float lanes[kLanes] = {};
  std::memcpy(lanes, x, n * sizeof(float));
  return hn::Load(DF(), lanes);
}

HWY_INLINE void store_first(VF v, float* to, size_t n) {
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, DF(), lanes);
  std::memcpy(to, lanes, n * sizeof(float));
}

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
