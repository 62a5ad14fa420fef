#include "kernels/cpu/activation.h"

#include <cstring>

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
HWY_INLINE V32 Apply(V32 x) {
  if constexpr (kFunction == Function::gelu_erf) return GeluErf32(x);
  if constexpr (kFunction == Function::gelu_tanh) return GeluTanh32(x);
  // Written so that NaN stays NaN.
  if constexpr (kFunction == Function::relu)
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(D32())), x);
  if constexpr (kFunction == Function::tanh) return Tanh32(x);
  return x;
}

// Calls f(offset, lanes) for whole vectors and then for the rest of a row, fewer than a vector.
template <typename Whole, typename Rest>
HWY_INLINE void ForRow(size_t n, const Whole& whole, const Rest& rest) {
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32) whole(i);
  if (i < n) rest(i, n - i);
}

HWY_INLINE V32 LoadSome(const float* from, size_t count) {
  HWY_ALIGN float lanes[kLanes32] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return hn::Load(D32(), lanes);
}

HWY_INLINE void StoreSome(V32 v, float* to, size_t count) {
  HWY_ALIGN float lanes[kLanes32];
  hn::Store(v, D32(), lanes);
  std::memcpy(to, lanes, count * sizeof(float));
}

template <Function kFunction>
void ActivateRows(const Activate& a) {
  const D32 d;
  for (size_t r = 0; r < a.rows; ++r) {
    float* x = a.x + r * a.stride;
    ForRow(
        a.columns, [&](size_t i) { hn::StoreU(Apply<kFunction>(hn::LoadU(d, x + i)), d, x + i); },
        [&](size_t i, size_t n) { StoreSome(Apply<kFunction>(LoadSome(x + i, n)), x + i, n); });
  }
}

void DoActivate(const Activate& a) {
  switch (a.function) {
    case Function::none:
      return;
    case Function::gelu_erf:
      return ActivateRows<Function::gelu_erf>(a);
    case Function::gelu_tanh:
      return ActivateRows<Function::gelu_tanh>(a);
    case Function::relu:
      return ActivateRows<Function::relu>(a);
    case Function::tanh:
      return ActivateRows<Function::tanh>(a);
  }
}

HWY_INLINE V32 Finish(V32 sum, float row_scale, const float* scale, const float* bias) {
  const D32 d;
  const V32 row = hn::Set(d, row_scale);
  sum = hn::Mul(sum, scale ? hn::Mul(row, hn::LoadU(d, scale)) : row);
  if (bias) sum = hn::Add(sum, hn::LoadU(d, bias));
  return sum;
}

HWY_INLINE V32 LoadSum(const void* sum, bool integer, size_t at) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  if (!integer) return hn::LoadU(d, static_cast<const float*>(sum) + at);
  return hn::ConvertTo(d, hn::LoadU(di, static_cast<const int32_t*>(sum) + at));
}

void DoFinishSums(const FinishSums& f) {
  const D32 d;
  for (size_t r = 0; r < f.rows; ++r) {
    const size_t row = r * f.sum_stride;
    float* out = f.out + r * f.out_stride;
    const float row_scale = f.row_scale ? f.row_scale[r] : 1.0f;
    ForRow(
        f.columns,
        [&](size_t i) {
          hn::StoreU(Finish(LoadSum(f.sum, f.integer, row + i), row_scale,
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
  DoActivate({f.function, f.out, f.out_stride, f.rows, f.columns});
}

void DoScaleRow(const float* src, float factor, size_t n, float* dst) {
  const D32 d;
  const V32 f = hn::Set(d, factor);
  ForRow(
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
HWY_EXPORT(DoActivate);
HWY_EXPORT(DoFinishSums);
HWY_EXPORT(DoScaleRow);

void activate(const Activate& args) noexcept { HWY_DYNAMIC_DISPATCH(DoActivate)(args); }
void finish_sums(const FinishSums& args) noexcept { HWY_DYNAMIC_DISPATCH(DoFinishSums)(args); }
void scale_row(const float* src, float factor, size_t n, float* dst) noexcept {
  HWY_DYNAMIC_DISPATCH(DoScaleRow)(src, factor, n, dst);
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
