// Has exp, tanh and GELU on vectors, and sums in a fixed order. This header is included once
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

// Adds partial sums that stand in vectors, one after another.
template <class D, size_t kVectors>
HWY_INLINE hn::TFromD<D> tree_sum(D d, hn::Vec<D> (&part)[kVectors]) {
  constexpr size_t kOfVector = hn::MaxLanes(d);
  static_assert(kVectors * kOfVector == kPartialSums);
  for (size_t half = kVectors / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) part[i] = hn::Add(part[i], part[i + half]);
  HWY_ALIGN hn::TFromD<D> lanes[kOfVector];
  hn::Store(part[0], d, lanes);
  for (size_t half = kOfVector / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
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
  return hn::IfThenZeroElse(hn::Lt(x, lowest), exp_in_range(at_least(lowest, x)));
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

// Holds a polynomial for each of eight intervals, the coefficients of x^0 first.
template <size_t kDegree>
struct Piecewise {
  static constexpr size_t kPieces = 8;
  // Vectors of 16 floats look a coefficient up in two copies of its table.
  alignas(64) float of[kDegree + 1][2 * kPieces];

  constexpr explicit Piecewise(const float (&c)[kDegree + 1][kPieces]) : of{} {
    for (size_t i = 0; i <= kDegree; ++i)
      for (size_t n = 0; n < 2 * kPieces; ++n) of[i][n] = c[i][n % kPieces];
  }

  // Returns the polynomial of the piece that the lowest three bits of `at` name.
  HWY_INLINE VF operator()(VI at, VF x) const {
    VF p = look_up(kDegree, at);
    for (size_t i = kDegree; i-- > 0;) p = hn::MulAdd(p, x, look_up(i, at));
    return p;
  }

 private:
  HWY_INLINE VF look_up(size_t i, VI at) const {
#if HWY_TARGET == HWY_AVX2
    return VF{_mm256_permutevar8x32_ps(_mm256_load_ps(of[i]), at.raw)};
#elif HWY_TARGET <= HWY_AVX3
    return VF{_mm512_permutexvar_ps(at.raw, _mm512_load_ps(of[i]))};
#else
    HWY_ALIGN int32_t lanes[kLanes];
    HWY_ALIGN float found[kLanes];
    hn::Store(at, DI(), lanes);
    for (size_t l = 0; l < kLanes; ++l) found[l] = of[i][lanes[l] & 7];
    return hn::Load(DF(), found);
#endif
  }
};

// Approximates g(t) = erf(t / sqrt(2)) / 2 around 0, 27/32, 54/32, ..., by fits at Chebyshev's
// points. From 5.48 on, g is 1/2.
inline constexpr Piecewise<7> kGelu({
    {0.0f, 0.300595433f, 0.454246372f, 0.494317174f, 0.499630928f, 0.499987721f, 0.499999791f,
     0.5f},
    {0.398942262f, 0.279460162f, 0.0960614979f, 0.0162031129f, 0.00134111918f, 5.44697832e-05f,
     1.08557549e-06f, 0.0f},
    {0.0f, -0.117896922f, -0.0810521469f, -0.0205070246f, -0.00226311292f, -0.000114903087f,
     -2.7490014e-06f, 0.0f},
    {-0.0664900839f, -0.0134182805f, 0.0295814574f, 0.0146023603f, 0.00232249149f, 0.000152496417f,
     4.4568269e-06f, 0.0f},
    {0.0f, 0.0224707276f, 0.00103622954f, -0.00582385715f, -0.00158313254f, -0.000141520592f,
     -5.15059719e-06f, 0.0f},
    {0.00996756647f, -0.00177690096f, -0.00478487881f, 0.000756533525f, 0.000720147451f,
     9.66625012e-05f, 4.56403723e-06f, 0.0f},
    {0.0f, -0.00266383006f, 0.00114281347f, 0.000467571866f, -0.000187573358f, -5.05772077e-05f,
     -3.45058766e-06f, 0.0f},
    {-0.00114211405f, 0.000513831328f, 0.000281235436f, -0.000248977944f, 4.89583772e-06f,
     1.81563755e-05f, 1.85446993e-06f, 0.0f},
});

// Returns x/2 (1 + erf(x / sqrt(2))) = x/2 + |x| g(|x|). The error is below 6e-8 (|x| + |result|).
// Large negative x give exactly 0.
HWY_INLINE VF gelu_erf32(VF x) {
  const DF d;
  const VF t = hn::Abs(x);
  const VF u = hn::Min(t, hn::Set(d, 27.0f / 32 * 7));
  // 1.5 * 2^23 leaves no bits for a fraction, so the sum's last bits are those of the piece.
  const VF rounder = hn::Set(d, 12582912.0f);
  const VF sum = hn::MulAdd(u, hn::Set(d, 32.0f / 27), rounder);
  const VF r = hn::NegMulAdd(hn::Sub(sum, rounder), hn::Set(d, 27.0f / 32), u);
  return hn::MulAdd(t, kGelu(hn::BitCast(DI(), sum), r), hn::Mul(x, hn::Set(d, 0.5f)));
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
