#include "kernels/cpu/norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

// The sum of f(i) over [0, n): f gives a vector, or one float where fewer than 32 elements remain.
template <typename F, typename G>
HWY_INLINE float Sum(size_t n, const F& vector_at, const G& float_at) {
  const D32 d;
  V32 sum[kSumVectors];
  for (size_t v = 0; v < kSumVectors; ++v) sum[v] = hn::Zero(d);
  size_t i = 0;
  for (; i + kPartialSums <= n; i += kPartialSums)
    for (size_t v = 0; v < kSumVectors; ++v) sum[v] = hn::Add(sum[v], vector_at(i + v * kLanes32));
  HWY_ALIGN float part[kPartialSums];
  for (size_t v = 0; v < kSumVectors; ++v) hn::Store(sum[v], d, part + v * kLanes32);
  for (size_t j = 0; i + j < n; ++j) part[j] += float_at(i + j);
  return TreeSum(part);
}

void AddTo(const float* from, size_t n, float* to) {
  const D32 d;
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32)
    hn::StoreU(hn::Add(hn::LoadU(d, to + i), hn::LoadU(d, from + i)), d, to + i);
  for (; i < n; ++i) to[i] += from[i];
}

void AddRows(const float* a, const float* b, size_t n, float* out) {
  const D32 d;
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32)
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  for (; i < n; ++i) out[i] = a[i] + b[i];
}

void NormRow(const float* x, const NormRows& a, float* out) {
  const D32 d;
  const size_t n = a.columns;
  const float count = static_cast<float>(n);
  const float mean =
      Sum(
          n, [&](size_t i) { return hn::LoadU(d, x + i); }, [&](size_t i) { return x[i]; }) /
      count;
  const V32 vmean = hn::Set(d, mean);
  const float variance = Sum(
                             n,
                             [&](size_t i) {
                               const V32 c = hn::Sub(hn::LoadU(d, x + i), vmean);
                               return hn::Mul(c, c);
                             },
                             [&](size_t i) { return (x[i] - mean) * (x[i] - mean); }) /
                         count;
  const float deviation = std::sqrt(variance + a.epsilon);
  const V32 vdeviation = hn::Set(d, deviation);
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32) {
    const V32 unit = hn::Div(hn::Sub(hn::LoadU(d, x + i), vmean), vdeviation);
    const V32 scaled = hn::Mul(unit, hn::LoadU(d, a.gamma + i));
    hn::StoreU(hn::Add(scaled, hn::LoadU(d, a.beta + i)), d, out + i);
  }
  for (; i < n; ++i) out[i] = (x[i] - mean) / deviation * a.gamma[i] + a.beta[i];
}

void Norm(const NormRows& a) {
  for (size_t r = 0; r < a.rows; ++r) {
    const float* x = a.x + r * a.x_stride;
    float* out = a.out + r * a.out_stride;
    if (a.residual) {
      AddRows(x, a.residual + r * a.residual_stride, a.columns, out);
      x = out;
    }
    NormRow(x, a, out);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(Norm);
HWY_EXPORT(AddTo);

void norm_rows(const NormRows& args) noexcept { HWY_DYNAMIC_DISPATCH(Norm)(args); }
void add_row(const float* from, size_t n, float* to) noexcept {
  HWY_DYNAMIC_DISPATCH(AddTo)(from, n, to);
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
