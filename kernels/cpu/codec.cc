#include "kernels/cpu/codec.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "numeric/codecs.h"
#include "numeric/token_scale.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/codec.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

// v where it is NaN.
HWY_INLINE V32 AtMost(float limit, V32 v) {
  const V32 most = hn::Set(D32(), limit);
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Gt(v, most), most, v);
#else
  return hn::Min(most, v);  // x86: the second where one is NaN
#endif
}

// The value of the code of v: with the power of two that leaves no bits for less than the format's
// step at v added, the magnitude is rounded, to nearest even, to whole steps. Below the smallest
// normal number the step is fixed. The largest takes what is beyond along.
template <class Codec>
HWY_INLINE V32 MiniFloatValue(V32 v) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const V32 sign = hn::And(v, hn::BitCast(d, hn::Set(di, INT32_MIN)));
  const V32 magnitude = AtMost(Codec::largest(), hn::Abs(v));
  const auto power = hn::Max(hn::And(hn::BitCast(di, magnitude), hn::Set(di, 0x7F800000)),
                             hn::Set(di, std::bit_cast<int32_t>(Codec::smallest_normal())));
  const V32 rounder = hn::BitCast(d, hn::Add(power, hn::Set(di, (23 - Codec::kMantissa) << 23)));
  return hn::Or(hn::Sub(hn::Add(magnitude, rounder), rounder), sign);
}

// A format: the value of the code of v, and whether v saturates: is nearer to what would follow the
// largest code, were there one.
template <class Codec, bool kInteger = Codec::kInteger>
struct Value {
  static HWY_INLINE V32 of(V32 v) { return MiniFloatValue<Codec>(v); }
  static HWY_INLINE auto beyond(V32 v) {
    constexpr float kStep = Codec::largest() - Codec::decode(Codec::kMaxCode - 1);
    return hn::Gt(hn::Abs(v), hn::Set(D32(), Codec::largest() + kStep / 2));
  }
};
template <class Codec>
struct Value<Codec, true> {
  // 1.5 * 2^23 leaves no bits for a fraction, so that the sum is rounded, to nearest even, to an
  // integer, on every target alike.
  static HWY_INLINE V32 of(V32 v) {
    const D32 d;
    const V32 number = hn::IfThenZeroElse(hn::IsNaN(v), v);
    const V32 limited =
        hn::Min(hn::Max(number, hn::Set(d, Codec::lowest())), hn::Set(d, Codec::largest()));
    const V32 rounder = hn::Set(d, 12582912.0f);
    return hn::Sub(hn::Add(limited, rounder), rounder);
  }
  static HWY_INLINE auto beyond(V32 v) {  // outside of [lowest - 0.5, largest + 0.5]
    return hn::Gt(hn::Abs(hn::Add(v, hn::Set(D32(), 0.5f))), hn::Set(D32(), -Codec::lowest()));
  }
};

// How the values of codes are written: kTogether of them are one group. `scale` is that of the
// format.
struct OneByOne {
  static constexpr size_t kTogether = 1;
};
struct ToF32 : OneByOne {
  using T = float;
  static HWY_INLINE void store(V32 value, V32, T* to) { hn::StoreU(value, D32(), to); }
};
struct ToRounded : OneByOne {
  using T = float;
  static HWY_INLINE void store(V32 value, V32 scale, T* to) {
    hn::StoreU(hn::Mul(value, scale), D32(), to);
  }
};
struct ToBf16 : OneByOne {
  using T = uint16_t;
  static HWY_INLINE void store(V32 value, V32, T* to) {
    const hn::RebindToUnsigned<D32> du;
    const hn::Rebind<uint16_t, D32> d16;
    const auto upper = hn::ShiftRight<16>(hn::BitCast(du, value));
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(hn::RebindToSigned<D32>(), upper)), d16, to);
  }
};
#if HWY_TARGET != HWY_SCALAR
struct ToBf16Pairs {
  using T = uint16_t;
  static constexpr size_t kTogether = 2;
  static HWY_INLINE void store(V32 value, V32 scale, T* to) {
    ToBf16::store(hn::Shuffle2301(value), scale, to);
  }
};
#endif
template <typename Integer>
struct ToInteger : OneByOne {
  using T = Integer;
  static HWY_INLINE void store(V32 value, V32, T* to) {
    const hn::Rebind<T, D32> d;
    const auto integer = hn::ConvertTo(hn::RebindToSigned<D32>(), value);  // exact
    hn::StoreU(hn::DemoteTo(d, integer), d, to);
  }
};

struct ToU8 : OneByOne {
  using T = uint8_t;
  static HWY_INLINE void store(V32 value, V32 scale, T* to) {
    ToInteger<uint8_t>::store(hn::Add(value, hn::Set(D32(), 128.0f)), scale, to);
  }
};

// The first n values at x, and zeros.
HWY_INLINE V32 LoadFirst(const float* x, size_t n) {
  HWY_ALIGN float values[kLanes32] = {};
  std::memcpy(values, x, n * sizeof(float));
  return hn::Load(D32(), values);
}

// x, or x times factors, from index i on: `load` reads from both.
template <typename Load>
HWY_INLINE V32 Multiplied(const float* x, const float* factors, size_t i, Load load) {
  const V32 v = load(x + i);
  return factors ? hn::Mul(v, load(factors + i)) : v;
}

// As integers, which order as magnitudes do, NaN above all numbers.
float AbsmaxOfProducts(const float* x, const float* factors, size_t n) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  auto largest = hn::Zero(di);
  const auto take = [&](V32 v)
                        HWY_ATTR { largest = hn::Max(largest, hn::BitCast(di, hn::Abs(v))); };
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32)
    take(Multiplied(x, factors, i, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p); }));
  if (i < n)
    take(Multiplied(x, factors, i, [&](const float* p) HWY_ATTR { return LoadFirst(p, n - i); }));
  return std::bit_cast<float>(hn::GetLane(hn::MaxOfLanes(di, largest)));
}
float Absmax(const float* x, size_t n) { return AbsmaxOfProducts(x, nullptr, n); }

template <typename Value, typename To>
RoundingCount QuantizeRowsTo(const QuantizeRows& q) {
  const D32 d;
  using T = typename To::T;
  V32 scale = hn::Set(d, q.scale);
  RoundingCount count;
  const auto quantize = [&](V32 x, T* to) HWY_ATTR {
    const V32 quotient = hn::Div(x, scale);
    const V32 value = Value::of(quotient);
    count.saturated += hn::CountTrue(d, Value::beyond(quotient));
    count.underflowed +=
        hn::CountTrue(d, hn::And(hn::Gt(hn::Abs(x), hn::Zero(d)), hn::Eq(value, hn::Zero(d))));
    To::store(value, scale, to);
  };
  for (size_t r = 0; r < q.rows; ++r) {
    const float* x = q.x + r * q.x_stride;
    if (q.row_scales)
      scale = hn::Set(
          d, q.row_scales[r] = token_scale(q.format, AbsmaxOfProducts(x, q.factors, q.columns)));
    T* out = static_cast<T*>(q.out) + r * q.out_stride;
    size_t i = 0;
    for (; i + kLanes32 <= q.columns; i += kLanes32)
      quantize(
          Multiplied(x, q.factors, i, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p); }),
          out + i);
    if (i < q.columns) {
      const size_t n = q.columns - i, groups = (n + To::kTogether - 1) / To::kTogether;
      HWY_ALIGN T result[kLanes32];
      quantize(
          Multiplied(x, q.factors, i, [&](const float* p) HWY_ATTR { return LoadFirst(p, n); }),
          result);
      std::memcpy(out + i, result, groups * To::kTogether * sizeof(T));
    }
  }
  return count;
}

template <typename To>
RoundingCount ByFormat(const QuantizeRows& q) {
  return with_format(
      q.format, [&]<Format kFormat>() { return QuantizeRowsTo<Value<CodecOf<kFormat>>, To>(q); });
}

RoundingCount QuantizeF32(const QuantizeRows& q) { return ByFormat<ToF32>(q); }
RoundingCount RoundF32(const QuantizeRows& q) { return ByFormat<ToRounded>(q); }
RoundingCount QuantizeBf16(const QuantizeRows& q) { return ByFormat<ToBf16>(q); }
#if HWY_TARGET != HWY_SCALAR
RoundingCount QuantizeBf16Pairs(const QuantizeRows& q) { return ByFormat<ToBf16Pairs>(q); }
#else
// Of n values in order, followed by one to spare.
void SwapPairs(uint16_t* x, size_t n) {
  if (n % 2) x[n] = 0;
  for (size_t i = 0; i < n; i += 2) std::swap(x[i], x[i + 1]);
}
RoundingCount QuantizeBf16Pairs(const QuantizeRows& q) {
  const auto count = ByFormat<ToBf16>(q);
  for (size_t r = 0; r < q.rows; ++r)
    SwapPairs(static_cast<uint16_t*>(q.out) + r * q.out_stride, q.columns);
  return count;
}
#endif
template <typename To>
RoundingCount Int8Rows(const QuantizeRows& q) {
  return QuantizeRowsTo<Value<Int8Codec>, To>(q);
}
RoundingCount QuantizeU8(const QuantizeRows& q) { return Int8Rows<ToU8>(q); }
RoundingCount QuantizeI8(const QuantizeRows& q) { return Int8Rows<ToInteger<int8_t>>(q); }
RoundingCount QuantizeI16(const QuantizeRows& q) { return Int8Rows<ToInteger<int16_t>>(q); }

// The FP32 value whose lower half is zero.
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D32>> Bf16Bits(V32 x) {
  const hn::RebindToUnsigned<D32> du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFF)));
  const auto nan = hn::Or(bits, hn::Set(du, 0x400000));
  const auto keep = hn::BitCast(du, hn::VecFromMask(D32(), hn::IsNaN(x)));
  return hn::And(hn::IfVecThenElse(keep, nan, rounded), hn::Set(du, 0xFFFF0000u));
}

void RoundBf16(const float* x, size_t n, uint16_t* out) {
  const D32 d;
  const hn::RebindToSigned<D32> di;
  const hn::Rebind<uint16_t, D32> d16;
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32) {
    const auto upper = hn::ShiftRight<16>(Bf16Bits(hn::LoadU(d, x + i)));
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, upper)), d16, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<uint16_t>(BFloat16Codec::encode(x[i]));
}

void RoundBf16Pairs(const float* x, size_t n, uint16_t* out) {
#if HWY_TARGET == HWY_SCALAR
  RoundBf16(x, n, out);
  SwapPairs(out, n);
#else
  const D32 d;
  const auto round = [&](V32 v, uint16_t* to)
                         HWY_ATTR { ToBf16Pairs::store(hn::BitCast(d, Bf16Bits(v)), v, to); };
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32) round(hn::LoadU(d, x + i), out + i);
  if (i == n) return;
  HWY_ALIGN uint16_t result[kLanes32];
  round(LoadFirst(x + i, n - i), result);
  std::memcpy(out + i, result, (n - i + 1) / 2 * 2 * sizeof(uint16_t));
#endif
}

void RoundBf16Values(const float* x, size_t n, float* out) {
  const D32 d;
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32)
    hn::StoreU(hn::BitCast(d, Bf16Bits(hn::LoadU(d, x + i))), d, out + i);
  for (; i < n; ++i) out[i] = BFloat16Codec::decode(BFloat16Codec::encode(x[i]));
}

void FromF16(const uint16_t* x, size_t n, float* out) {
  size_t i = 0;
#if HWY_TARGET != HWY_SCALAR  // whose conversion does not know Inf and NaN
  const D32 d;
  const hn::Rebind<hwy::float16_t, D32> d16;
  for (; i + kLanes32 <= n; i += kLanes32)
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(x + i))), d,
               out + i);
#endif
  for (; i < n; ++i) out[i] = Float16Codec::decode(x[i]);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(QuantizeF32);
HWY_EXPORT(RoundF32);
HWY_EXPORT(QuantizeBf16);
HWY_EXPORT(QuantizeBf16Pairs);
HWY_EXPORT(QuantizeI8);
HWY_EXPORT(QuantizeU8);
HWY_EXPORT(Absmax);
HWY_EXPORT(QuantizeI16);
HWY_EXPORT(RoundBf16);
HWY_EXPORT(RoundBf16Pairs);
HWY_EXPORT(RoundBf16Values);
HWY_EXPORT(FromF16);

RoundingCount quantize_to_f32(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(QuantizeF32)(args);
}
RoundingCount round_to_f32(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(RoundF32)(args);
}
RoundingCount quantize_to_bf16(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(QuantizeBf16)(args);
}
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(QuantizeBf16Pairs)(args);
}
RoundingCount quantize_to_u8(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(QuantizeU8)(args);
}
RoundingCount quantize_to_i8(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(QuantizeI8)(args);
}
float absmax(const float* x, size_t n) noexcept { return HWY_DYNAMIC_DISPATCH(Absmax)(x, n); }
RoundingCount quantize_to_i16(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(QuantizeI16)(args);
}
void round_to_bf16(const float* x, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(RoundBf16)(x, n, out);
}
void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(RoundBf16Pairs)(x, n, out);
}
void round_to_bf16_values(const float* x, size_t n, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(RoundBf16Values)(x, n, out);
}
void f16_to_f32(const uint16_t* x, size_t n, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(FromF16)(x, n, out);
}

namespace {
// By code.
template <class Codec>
constexpr std::array<float, 256> kValues = [] {
  std::array<float, 256> values;
  for (uint32_t code = 0; code < values.size(); ++code) values[code] = Codec::decode(code);
  return values;
}();
}  // namespace

void codes_to_f32(Format format, const uint8_t* codes, size_t n, float scale, float* out) noexcept {
  const float* table =
      with_format(format, []<Format kFormat>() { return kValues<CodecOf<kFormat>>.data(); });
  for (size_t i = 0; i < n; ++i) out[i] = table[codes[i]] * scale;
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
