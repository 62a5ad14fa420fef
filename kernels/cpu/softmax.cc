#include "kernels/cpu/softmax.h"

#include <algorithm>

#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softmax.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

static_assert(kPanel % kLanes == 0);

// One step after another is taken for this many rows. What takes long at the end of a row, its
// largest value and its sum, then overlaps with other rows.
constexpr size_t kRowsTogether = 8;
constexpr size_t kSumVectors = kPartialSums / kLanes;

// Scales a row and returns its largest value. Rows are padded to whole vectors.
template <bool kInteger>
HWY_INLINE float scale_row(float* x, size_t n, VF sum_scale, VF scale) {
  const DF d;
  const VF lowest = hn::Set(d, -hwy::HighestValue<float>());
  VF best = lowest;
  const auto scaled = [&](size_t i) HWY_ATTR {
    VF v;
    if constexpr (kInteger)
      v = hn::ConvertTo(d, hn::LoadU(DI(), reinterpret_cast<const int32_t*>(x) + i));
    else v = hn::LoadU(d, x + i);
    v = hn::Mul(hn::Mul(v, sum_scale), scale);
    hn::StoreU(v, d, x + i);
    return v;
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = hn::Max(best, scaled(i));
  if (i < n) best = hn::Max(best, hn::IfThenElse(hn::FirstN(d, n - i), scaled(i), lowest));
  return hn::GetLane(hn::MaxOfLanes(d, best));
}

// Makes x exp(x - largest) and returns the sum. Lanes beyond n become 0.
HWY_INLINE float exponentials(float* x, size_t n, VF largest) {
  const DF d;
  VF sum[kSumVectors];
  for (VF& s : sum) s = hn::Zero(d);
  const auto one = [&](size_t i, size_t v) HWY_ATTR {
    VF e = exp32(hn::Sub(hn::LoadU(d, x + i), largest));
    if (i + kLanes > n) e = hn::IfThenElseZero(hn::FirstN(d, n > i ? n - i : 0), e);
    hn::StoreU(e, d, x + i);
    sum[v] = hn::Add(sum[v], e);
  };
  size_t i = 0;
  for (; i + kPartialSums <= n; i += kPartialSums)
#pragma GCC unroll 32
    for (size_t v = 0; v < kSumVectors; ++v) one(i + v * kLanes, v);
  const size_t padded = panels(n) * kPanel;
#pragma GCC unroll 32
  for (size_t v = 0; v < kSumVectors; ++v)
    if (i + v * kLanes < padded) one(i + v * kLanes, v);
  return tree_sum(d, sum);
}

HWY_INLINE void divide_row(float* x, size_t n, float total) {
  const DF d;
  const VF all = hn::Set(d, total), inverse = hn::Set(d, 1.0f / total);
  for (size_t i = 0; i < n; i += kLanes)
    hn::StoreU(divided(hn::LoadU(d, x + i), all, inverse), d, x + i);
}

template <bool kInteger>
void softmax_of(const Softmax& s) {
  const DF d;
  const VF sum_scale = hn::Set(d, s.sum_scale), scale = hn::Set(d, s.scale);
  for (size_t from = 0; from < s.rows; from += kRowsTogether) {
    const size_t rows = std::min(kRowsTogether, s.rows - from);
    float* x = s.x + from * s.stride;
    float largest[kRowsTogether], total[kRowsTogether];
    for (size_t r = 0; r < rows; ++r)
      largest[r] = scale_row<kInteger>(x + r * s.stride, s.columns, sum_scale, scale);
    for (size_t r = 0; r < rows; ++r)
      total[r] = exponentials(x + r * s.stride, s.columns, hn::Set(d, largest[r]));
    for (size_t r = 0; r < rows; ++r) divide_row(x + r * s.stride, s.columns, total[r]);
  }
}

void softmax(const Softmax& s) { s.integer ? softmax_of<true>(s) : softmax_of<false>(s); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(softmax);

void softmax(const Softmax& args) noexcept { HWY_DYNAMIC_DISPATCH(softmax)(args); }
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
