#include "kernels/cpu/activation.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/activation.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

template <Function kFunction>
HWY_INLINE VF apply(VF x) {
  if constexpr (kFunction == Function::gelu_erf) return gelu_erf32(x);
  if constexpr (kFunction == Function::gelu_tanh) return gelu_tanh32(x);
  // This form keeps NaN.
  if constexpr (kFunction == Function::relu)
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(DF())), x);
  if constexpr (kFunction == Function::tanh) return tanh32(x);
  return x;
}

// Calls f(offset, lanes) for whole vectors, and then for the rest of a row, which is less than a
// vector.
template <typename Whole, typename Rest>
HWY_INLINE void for_row(size_t n, const Whole& whole, const Rest& rest) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) whole(i);
  if (i < n) rest(i, n - i);
}

template <Function kFunction>
void activate_rows(const Activate& a) {
  const DF d;
  for (size_t r = 0; r < a.rows; ++r) {
    float* x = a.x + r * a.stride;
    for_row(
        a.columns, [&](size_t i) { hn::StoreU(apply<kFunction>(hn::LoadU(d, x + i)), d, x + i); },
        [&](size_t i, size_t n) { store_first(apply<kFunction>(load_first(x + i, n)), x + i, n); });
  }
}

void activate(const Activate& a) {
  switch (a.function) {
    case Function::none:
      return;
    case Function::gelu_erf:
      return activate_rows<Function::gelu_erf>(a);
    case Function::gelu_tanh:
      return activate_rows<Function::gelu_tanh>(a);
    case Function::relu:
      return activate_rows<Function::relu>(a);
    case Function::tanh:
      return activate_rows<Function::tanh>(a);
  }
}

HWY_INLINE VF finished(VF sum, float row_scale, const float* scale, const float* bias) {
  const DF d;
  const VF row = hn::Set(d, row_scale);
  sum = hn::Mul(sum, scale ? hn::Mul(row, hn::LoadU(d, scale)) : row);
  if (bias) sum = hn::Add(sum, hn::LoadU(d, bias));
  return sum;
}

HWY_INLINE VF load_sums(const void* sum, bool integer, size_t at) {
  const DF d;
  if (!integer) return hn::LoadU(d, static_cast<const float*>(sum) + at);
  return hn::ConvertTo(d, hn::LoadU(DI(), static_cast<const int32_t*>(sum) + at));
}

void finish_sums(const FinishSums& f) {
  const DF d;
  for (size_t r = 0; r < f.rows; ++r) {
    const size_t row = r * f.sum_stride;
    float* out = f.out + r * f.out_stride;
    const float row_scale = f.row_scale ? f.row_scale[r] : 1.0f;
    for_row(
        f.columns,
        [&](size_t i) {
          hn::StoreU(finished(load_sums(f.sum, f.integer, row + i), row_scale,
                              f.scale ? f.scale + i : nullptr, f.bias ? f.bias + i : nullptr),
                     d, out + i);
        },
        [&](size_t i, size_t n) {
          for (size_t j = i; j < i + n; ++j) {
            float v = f.integer ? static_cast<float>(static_cast<const int32_t*>(f.sum)[row + j])
                                : static_cast<const float*>(f.sum)[row + j];
            v *= f.scale ? row_scale * f.scale[j] : row_scale;
            if (f.bias) v += f.bias[j];
            out[j] = v;
          }
        });
  }
  activate({f.function, f.out, f.out_stride, f.rows, f.columns});
}

void scale_row(const float* src, float factor, size_t n, float* dst) {
  const DF d;
  const VF f = hn::Set(d, factor);
  for_row(
      n, [&](size_t i) { hn::StoreU(hn::Mul(hn::LoadU(d, src + i), f), d, dst + i); },
      [&](size_t i, size_t rest) {
        for (size_t j = i; j < i + rest; ++j) dst[j] = src[j] * factor;
      });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(activate);
HWY_EXPORT(finish_sums);
HWY_EXPORT(scale_row);

void activate(const Activate& args) noexcept { HWY_DYNAMIC_DISPATCH(activate)(args); }
void finish_sums(const FinishSums& args) noexcept { HWY_DYNAMIC_DISPATCH(finish_sums)(args); }
void scale_row(const float* src, float factor, size_t n, float* dst) noexcept {
  HWY_DYNAMIC_DISPATCH(scale_row)(src, factor, n, dst);
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
