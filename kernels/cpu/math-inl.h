// Has exp, erf, tanh and GELU on vectors, and sums in a fixed order. This header is included once
// per target.
//
// The functions use only additions, products, fma and conversions, so they give the same bits on
// every target with fma. The polynomials are minimax fits (reweighted least squares in double,
// coefficients then rounded to FP32). The stated errors are those of the FP32 results against
// double, over the whole range, and are tested.
#if defined(FP8Q_KERNELS_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FP8Q_KERNELS_CPU_MATH_INL_H_
#undef FP8Q_KERNELS_CPU_MATH_INL_H_
#else
#define FP8Q_KERNELS_CPU_MATH_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {

// A reduction has this many partial sums. Element i goes to sum i mod 32 whatever the vector
// length, and the 32 sums are added as a tree. 32 sums also hide the latency of the addition.
inline constexpr size_t kPartialSums = 32;

template <typename T>
HWY_INLINE T tree_sum(T (&part)[kPartialSums]) {
  for (size_t half = kPartialSums / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

// Returns exp(x) with a relative error below 1.5e-7, for x in [-87.3, 88].
HWY_INLINE VF exp_in_range(VF x) {
  const DF d;
  const DI di;
  // x = n ln 2 + r with |r| <= ln 2 / 2. ln 2 is in two parts, the first with few bits (Cody,
  // Waite). 1.5 * 2^23 leaves no bits for a fraction, so the sum's last bits are those of n.
  const VF rounder = hn::Set(d, 12582912.0f);
  const VF sum = hn::Add(hn::Mul(x, hn::Set(d, 1.44269504f)), rounder);
  const VF nf = hn::Sub(sum, rounder);
  VF r = hn::NegMulAdd(nf, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(nf, hn::Set(d, -2.12194440e-4f), r);
  VF p = hn::MulAdd(hn::Set(d, 1.395171917e-03f), r, hn::Set(d, 8.369598221e-03f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.166618726e-02f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.666651289e-01f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.000000101e-01f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto power = hn::ShiftLeft<23>(hn::Add(hn::BitCast(di, sum), hn::Set(di, 127)));
  return hn::Mul(p, hn::BitCast(d, power));
}

// Returns exp(x) for any x up to 88. It is 0 below -87.3 (the result would be subnormal), and NaN
// is kept.
HWY_INLINE VF exp32(VF x) {
  const VF lowest = hn::Set(DF(), -87.3f);
  const VF e = exp_in_range(hn::Max(x, lowest));
  return hn::IfThenElse(hn::IsNaN(x), x, hn::IfThenZeroElse(hn::Lt(x, lowest), e));
}

// Returns erf(x) with a relative error below 2^-23. It is odd and keeps NaN.
HWY_INLINE VF erf32(VF x) {
  const DF d;
  const VF t = hn::Abs(x);
  // If t < 1, the result is t + t P(t^2).
  const VF z = hn::Mul(t, t);
  VF p = hn::MulAdd(hn::Set(d, 7.647119322e-05f), z, hn::Set(d, -7.942356778e-04f));
  p = hn::MulAdd(p, z, hn::Set(d, 5.179749601e-03f));
  p = hn::MulAdd(p, z, hn::Set(d, -2.684859134e-02f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.128343012e-01f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.761260599e-01f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.283791584e-01f));
  // If t >= 1, the result is 1 - exp(Q(t)), where Q is a fit of log(1 - erf) on [1, 4]. 1 - erf(4)
  // < 2^-25, so the result is 1 from 4 on.
  const VF u = hn::Min(t, hn::Set(d, 4.0f));
  VF q = hn::MulAdd(hn::Set(d, -2.168676448e-05f), u, hn::Set(d, 4.413353161e-04f));
  q = hn::MulAdd(q, u, hn::Set(d, -4.204556342e-03f));
  q = hn::MulAdd(q, u, hn::Set(d, 2.520824103e-02f));
  q = hn::MulAdd(q, u, hn::Set(d, -1.084185511e-01f));
  q = hn::MulAdd(q, u, hn::Set(d, -6.332199189e-01f));
  q = hn::MulAdd(q, u, hn::Set(d, -1.129578410e+00f));
  q = hn::MulAdd(q, u, hn::Set(d, 1.880370890e-04f));
  const VF one = hn::Set(d, 1.0f);
  const VF magnitude =
      hn::IfThenElse(hn::Ge(t, one), hn::Sub(one, exp_in_range(q)), hn::MulAdd(p, t, t));
  return hn::CopySign(magnitude, x);
}

// Returns tanh(x) with an absolute error below 1e-7. It is odd and keeps NaN.
HWY_INLINE VF tanh32(VF x) {
  const DF d;
  const VF t = hn::Min(hn::Abs(x), hn::Set(d, 10.0f));  // 1 - tanh(10) < 2^-25
  const VF z = hn::Mul(t, t);
  // If |x| < 0.625, the result is x + x^3 P(x^2).
  VF p = hn::MulAdd(hn::Set(d, -5.660788606e-03f), z, hn::Set(d, 2.060200731e-02f));
  p = hn::MulAdd(p, z, hn::Set(d, -5.372922989e-02f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.333132896e-01f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.333327832e-01f));
  const VF small = hn::MulAdd(hn::Mul(p, z), t, t);
  const VF one = hn::Set(d, 1.0f);
  const VF e = hn::Add(exp32(hn::Add(t, t)), one);
  const VF large = hn::Sub(one, hn::Div(hn::Set(d, 2.0f), e));
  const VF magnitude = hn::IfThenElse(hn::Lt(t, hn::Set(d, 0.625f)), small, large);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(magnitude, x));
}

// Returns x/2 (1 + erf(x / sqrt(2))). Every step is rounded as exporters write them (Div, Erf, Add,
// Mul), so that the engine rounds as the graph does. The error is below 6e-8 (|x| + |result|).
HWY_INLINE VF gelu_erf32(VF x) {
  const DF d;
  const VF erf = erf32(hn::Div(x, hn::Set(d, 1.41421354f)));
  return hn::Mul(hn::Mul(x, hn::Set(d, 0.5f)), hn::Add(erf, hn::Set(d, 1.0f)));
}

// Returns 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) = x / (1 + exp(-2 u)), without
// cancellation.
HWY_INLINE VF gelu_tanh32(VF x) {
  const DF d;
  const VF cube = hn::Mul(hn::Mul(x, x), x);
  const VF inner = hn::MulAdd(hn::Set(d, 0.044715f), cube, x);
  // The limit keeps exp finite; at the limit the quotient is x * 1e-38.
  const VF u = hn::Min(hn::Mul(inner, hn::Set(d, -1.59576912f)), hn::Set(d, 88.0f));
  return hn::Div(x, hn::Add(exp32(u), hn::Set(d, 1.0f)));
}

}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();
#endif
