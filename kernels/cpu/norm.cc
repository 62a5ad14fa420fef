#include "kernels/cpu/norm.h"

#include <algorithm>
#include <cmath>

#include "numeric/layer_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

// Statistics and elements are double; floats are read and written half a vector at a time.
using D64 = hn::CappedTag<double, 8>;
using V64 = hn::Vec<D64>;
using DHalf = hn::Rebind<float, D64>;
constexpr size_t kLanes64 = hn::MaxLanes(D64());
constexpr size_t kSumVectors64 = kPartialSums / kLanes64;

HWY_INLINE V64 load64(const float* from) { return hn::PromoteTo(D64(), hn::LoadU(DHalf(), from)); }

// Returns the sum of f(x[i]) over [0, n), formed as kPartialSums sums and a tree.
template <typename F>
HWY_INLINE double sum_of(const float* x, size_t n, const F& f) {
  const D64 d;
  V64 sum[kSumVectors64];
  for (size_t v = 0; v < kSumVectors64; ++v) sum[v] = hn::Zero(d);
  size_t i = 0;
  for (; i + kPartialSums <= n; i += kPartialSums)
    for (size_t v = 0; v < kSumVectors64; ++v)
      sum[v] = hn::Add(sum[v], f(load64(x + i + v * kLanes64)));
  if (i == n) return tree_sum(d, sum);
  HWY_ALIGN double part[kPartialSums];
  for (size_t v = 0; v < kSumVectors64; ++v) hn::Store(sum[v], d, part + v * kLanes64);
  for (size_t j = 0; i + j < n; ++j) part[j] += hn::GetLane(f(hn::Set(d, x[i + j])));
  for (size_t v = 0; v < kSumVectors64; ++v) sum[v] = hn::Load(d, part + v * kLanes64);
  return tree_sum(d, sum);
}

// out may be a or b.
void add_rows(const float* a, const float* b, size_t n, float* out) {
  const DF d;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  for (; i < n; ++i) out[i] = a[i] + b[i];
}

double mean_of(const float* x, size_t n) {
  return sum_of(x, n, [](V64 v) { return v; }) / static_cast<double>(n);
}

double variance_of(const float* x, size_t n, double mean) {
  const V64 vmean = hn::Set(D64(), mean);
  const auto square = [&](V64 v) {
    const V64 c = hn::Sub(v, vmean);
    return hn::Mul(c, c);
  };
  return sum_of(x, n, square) / static_cast<double>(n);
}

double inverse_of(const float* x, const NormRows& a, double mean, double variance) {
  const auto epsilon = static_cast<double>(a.epsilon);
  if (!may_overflow(variance * static_cast<double>(a.columns)))
    return 1.0 / std::sqrt(variance + epsilon);
  double largest = 0;
  for (size_t i = 0; i < a.columns; ++i) largest = std::max(largest, std::abs(x[i] - mean));
  return inverse_deviation(variance, epsilon, largest);
}

void normalize_row(const float* x, const NormRows& a, double mean, double inverse, float* out) {
  const V64 vmean = hn::Set(D64(), mean), vinverse = hn::Set(D64(), inverse);
  size_t i = 0;
  for (; i + kLanes64 <= a.columns; i += kLanes64) {
    const V64 unit = hn::Mul(hn::Sub(load64(x + i), vmean), vinverse);
    const V64 y = hn::Add(hn::Mul(unit, load64(a.gamma + i)), load64(a.beta + i));
    hn::StoreU(hn::DemoteTo(DHalf(), y), DHalf(), out + i);
  }
  for (; i < a.columns; ++i)
    out[i] = static_cast<float>((x[i] - mean) * inverse * double{a.gamma[i]} + double{a.beta[i]});
}

// One step after another is taken for this many rows, so that the end of a sum, the division and
// the root of one row overlap with other rows.
constexpr size_t kRowsTogether = 4;

void norm_rows(const NormRows& a) {
  const size_t n = a.columns;
  for (size_t from = 0; from < a.rows; from += kRowsTogether) {
    const size_t rows = std::min(kRowsTogether, a.rows - from);
    const float* x[kRowsTogether];
    float* out[kRowsTogether];
    double mean[kRowsTogether], variance[kRowsTogether];
    for (size_t r = 0; r < rows; ++r) {
      x[r] = a.x + (from + r) * a.x_stride;
      out[r] = a.out + (from + r) * a.out_stride;
      if (!a.residual) continue;
      add_rows(x[r], a.residual + (from + r) * a.residual_stride, n, out[r]);
      x[r] = out[r];
    }
    for (size_t r = 0; r < rows; ++r) mean[r] = mean_of(x[r], n);
    for (size_t r = 0; r < rows; ++r) variance[r] = variance_of(x[r], n, mean[r]);
    for (size_t r = 0; r < rows; ++r)
      normalize_row(x[r], a, mean[r], inverse_of(x[r], a, mean[r], variance[r]), out[r]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(norm_rows);
HWY_EXPORT(add_rows);

void norm_rows(const NormRows& args) noexcept { HWY_DYNAMIC_DISPATCH(norm_rows)(args); }
void add_row(const float* from, size_t n, float* to) noexcept {
  HWY_DYNAMIC_DISPATCH(add_rows)(to, from, n, to);
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
