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

// Returns the smaller of `limit` and v, or v if v is NaN.
HWY_INLINE VF at_most(float limit, VF v) {
  const VF most = hn::Set(DF(), limit);
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Gt(v, most), most, v);
#else
  return hn::Min(most, v);  // x86: returns the second if one is NaN
#endif
}

// Returns the value of the code of v. Adding the power of two that leaves no bits for less than the
// format's step at v rounds the magnitude, to nearest even, to whole steps. Below the smallest
// normal number the step is fixed. Values beyond the largest become the largest.
template <class Codec>
HWY_INLINE VF mini_float_value(VF v) {
  const DF d;
  const DI di;
  const VF sign = hn::And(v, hn::BitCast(d, hn::Set(di, INT32_MIN)));
  const VF magnitude = at_most(Codec::largest(), hn::Abs(v));
  const auto power = hn::Max(hn::And(hn::BitCast(di, magnitude), hn::Set(di, 0x7F800000)),
                             hn::Set(di, std::bit_cast<int32_t>(Codec::smallest_normal())));
  const VF rounder = hn::BitCast(d, hn::Add(power, hn::Set(di, (23 - Codec::kMantissa) << 23)));
  return hn::Or(hn::Sub(hn::Add(magnitude, rounder), rounder), sign);
}

// For a format, of() returns the value of the code of v, and beyond() whether v saturates: whether
// v is nearer to what would follow the largest code if there were one.
template <class Codec, bool kInteger = Codec::kInteger>
struct Value {
  static HWY_INLINE VF of(VF v) { return mini_float_value<Codec>(v); }
  static HWY_INLINE auto beyond(VF v) {
    constexpr float kStep = Codec::largest() - Codec::decode(Codec::kMaxCode - 1);
    return hn::Gt(hn::Abs(v), hn::Set(DF(), Codec::largest() + kStep / 2));
  }
};
template <class Codec>
struct Value<Codec, true> {
  // 1.5 * 2^23 leaves no bits for a fraction, so the sum is rounded, to nearest even, to an
  // integer, equally on every target.
  static HWY_INLINE VF of(VF v) {
    const DF d;
    const VF number = hn::IfThenZeroElse(hn::IsNaN(v), v);
    const VF limited =
        hn::Min(hn::Max(number, hn::Set(d, Codec::lowest())), hn::Set(d, Codec::largest()));
    const VF rounder = hn::Set(d, 12582912.0f);
    return hn::Sub(hn::Add(limited, rounder), rounder);
  }
  static HWY_INLINE auto beyond(VF v) {  // true outside of [lowest - 0.5, largest + 0.5]
    return hn::Gt(hn::Abs(hn::Add(v, hn::Set(DF(), 0.5f))), hn::Set(DF(), -Codec::lowest()));
  }
};

// Says how the values of codes are written: kTogether of them are one group. `scale` is that of the
// format.
struct OneByOne {
  static constexpr size_t kTogether = 1;
};
struct ToF32 : OneByOne {
  using T = float;
  static HWY_INLINE void store(VF value, VF, T* to) { hn::StoreU(value, DF(), to); }
};
struct ToRounded : OneByOne {
  using T = float;
  static HWY_INLINE void store(VF value, VF scale, T* to) {
    hn::StoreU(hn::Mul(value, scale), DF(), to);
  }
};
struct ToBf16 : OneByOne {
  using T = uint16_t;
  static HWY_INLINE void store(VF value, VF, T* to) {
    const DU du;
    const hn::Rebind<uint16_t, DF> d16;
    const auto upper = hn::ShiftRight<16>(hn::BitCast(du, value));
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(DI(), upper)), d16, to);
  }
};
#if HWY_TARGET != HWY_SCALAR
struct ToBf16Pairs {
  using T = uint16_t;
  static constexpr size_t kTogether = 2;
  static HWY_INLINE void store(VF value, VF scale, T* to) {
    ToBf16::store(hn::Shuffle2301(value), scale, to);
  }
};
#endif
template <typename Integer>
struct ToInteger : OneByOne {
  using T = Integer;
  static HWY_INLINE void store(VF value, VF, T* to) {
    const hn::Rebind<T, DF> d;
    const auto integer = hn::ConvertTo(DI(), value);  // exact
    hn::StoreU(hn::DemoteTo(d, integer), d, to);
  }
};

struct ToU8 : OneByOne {
  using T = uint8_t;
  static HWY_INLINE void store(VF value, VF scale, T* to) {
    ToInteger<uint8_t>::store(hn::Add(value, hn::Set(DF(), 128.0f)), scale, to);
  }
};

// Returns x, or x times factors, from index i on. `load` reads from both.
template <typename Load>
HWY_INLINE VF multiplied(const float* x, const float* factors, size_t i, Load load) {
  const VF v = load(x + i);
  return factors ? hn::Mul(v, load(factors + i)) : v;
}

// Compares magnitudes as integers, which have the same order, with NaN above all numbers.
float absmax_of_products(const float* x, const float* factors, size_t n) {
  const DF d;
  const DI di;
  auto largest = hn::Zero(di);
  const auto take = [&](VF v) HWY_ATTR { largest = hn::Max(largest, hn::BitCast(di, hn::Abs(v))); };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    take(multiplied(x, factors, i, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p); }));
  if (i < n)
    take(multiplied(x, factors, i, [&](const float* p) HWY_ATTR { return load_first(p, n - i); }));
  return std::bit_cast<float>(hn::GetLane(hn::MaxOfLanes(di, largest)));
}
float absmax(const float* x, size_t n) { return absmax_of_products(x, nullptr, n); }

template <typename Value, typename To>
RoundingCount quantize_rows(const QuantizeRows& q) {
  const DF d;
  using T = typename To::T;
  VF scale = hn::Set(d, q.scale);
  RoundingCount count;
  const auto quantize = [&](VF x, T* to) HWY_ATTR {
    const VF quotient = hn::Div(x, scale);
    const VF value = Value::of(quotient);
    count.saturated += hn::CountTrue(d, Value::beyond(quotient));
    count.underflowed +=
        hn::CountTrue(d, hn::And(hn::Gt(hn::Abs(x), hn::Zero(d)), hn::Eq(value, hn::Zero(d))));
    To::store(value, scale, to);
  };
  for (size_t r = 0; r < q.rows; ++r) {
    const float* x = q.x + r * q.x_stride;
    if (q.row_scales)
      scale = hn::Set(
          d, q.row_scales[r] = token_scale(q.format, absmax_of_products(x, q.factors, q.columns)));
    T* out = static_cast<T*>(q.out) + r * q.out_stride;
    size_t i = 0;
    for (; i + kLanes <= q.columns; i += kLanes)
      quantize(
          multiplied(x, q.factors, i, [&](const float* p) HWY_ATTR { return hn::LoadU(d, p); }),
          out + i);
    if (i < q.columns) {
      const size_t n = q.columns - i, groups = (n + To::kTogether - 1) / To::kTogether;
      HWY_ALIGN T result[kLanes];
      quantize(
          multiplied(x, q.factors, i, [&](const float* p) HWY_ATTR { return load_first(p, n); }),
          result);
      std::memcpy(out + i, result, groups * To::kTogether * sizeof(T));
    }
  }
  return count;
}

template <typename To>
RoundingCount quantize_by_format(const QuantizeRows& q) {
  return with_format(
      q.format, [&]<Format kFormat>() { return quantize_rows<Value<CodecOf<kFormat>>, To>(q); });
}

RoundingCount quantize_to_f32(const QuantizeRows& q) { return quantize_by_format<ToF32>(q); }
RoundingCount round_to_f32(const QuantizeRows& q) { return quantize_by_format<ToRounded>(q); }
RoundingCount quantize_to_bf16(const QuantizeRows& q) { return quantize_by_format<ToBf16>(q); }
#if HWY_TARGET != HWY_SCALAR
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& q) {
  return quantize_by_format<ToBf16Pairs>(q);
}
#else
// Swaps the n values at x in pairs. There must be room for one more value after them.
void swap_pairs(uint16_t* x, size_t n) {
  if (n % 2) x[n] = 0;
  for (size_t i = 0; i < n; i += 2) std::swap(x[i], x[i + 1]);
}
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& q) {
  const auto count = quantize_by_format<ToBf16>(q);
  for (size_t r = 0; r < q.rows; ++r)
    swap_pairs(static_cast<uint16_t*>(q.out) + r * q.out_stride, q.columns);
  return count;
}
#endif
template <typename To>
RoundingCount quantize_integers(const QuantizeRows& q) {
  return with_format(q.format, [&]<Format kFormat>() {
    if constexpr (CodecOf<kFormat>::kInteger) return quantize_rows<Value<CodecOf<kFormat>>, To>(q);
    else return RoundingCount{};  // not called for these
  });
}
RoundingCount quantize_to_u8(const QuantizeRows& q) { return quantize_integers<ToU8>(q); }
RoundingCount quantize_to_i8(const QuantizeRows& q) {
  return quantize_integers<ToInteger<int8_t>>(q);
}
RoundingCount quantize_to_i16(const QuantizeRows& q) {
  return quantize_integers<ToInteger<int16_t>>(q);
}

// Rounds x to BF16. Returns the bits of an FP32 value whose lower half is zero.
HWY_INLINE VU bf16_bits(VF x) {
  const DU du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
  const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFF)));
  const auto nan = hn::Or(bits, hn::Set(du, 0x400000));
  const auto keep = hn::BitCast(du, hn::VecFromMask(DF(), hn::IsNaN(x)));
  return hn::And(hn::IfVecThenElse(keep, nan, rounded), hn::Set(du, 0xFFFF0000u));
}

void round_to_bf16(const float* x, size_t n, uint16_t* out) {
  const DF d;
  const DI di;
  const hn::Rebind<uint16_t, DF> d16;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const auto upper = hn::ShiftRight<16>(bf16_bits(hn::LoadU(d, x + i)));
    hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di, upper)), d16, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<uint16_t>(BFloat16Codec::encode(x[i]));
}

void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) {
#if HWY_TARGET == HWY_SCALAR
  round_to_bf16(x, n, out);
  swap_pairs(out, n);
#else
  const DF d;
  const auto round = [&](VF v, uint16_t* to)
                         HWY_ATTR { ToBf16Pairs::store(hn::BitCast(d, bf16_bits(v)), v, to); };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) round(hn::LoadU(d, x + i), out + i);
  if (i == n) return;
  HWY_ALIGN uint16_t result[kLanes];
  round(load_first(x + i, n - i), result);
  std::memcpy(out + i, result, (n - i + 1) / 2 * 2 * sizeof(uint16_t));
#endif
}

void round_to_bf16_values(const float* x, size_t n, float* out) {
  const DF d;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    hn::StoreU(hn::BitCast(d, bf16_bits(hn::LoadU(d, x + i))), d, out + i);
  for (; i < n; ++i) out[i] = BFloat16Codec::decode(BFloat16Codec::encode(x[i]));
}

void f16_to_f32(const uint16_t* x, size_t n, float* out) {
  size_t i = 0;
#if HWY_TARGET <= HWY_AVX2 || HWY_ARCH_ARM_A64  // Highway's own conversion lacks Inf and NaN
  const DF d;
  const hn::Rebind<hwy::float16_t, DF> d16;
  for (; i + kLanes <= n; i += kLanes)
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
HWY_EXPORT(quantize_to_f32);
HWY_EXPORT(round_to_f32);
HWY_EXPORT(quantize_to_bf16);
HWY_EXPORT(quantize_to_bf16_pairs);
HWY_EXPORT(quantize_to_i8);
HWY_EXPORT(quantize_to_u8);
HWY_EXPORT(absmax);
HWY_EXPORT(quantize_to_i16);
HWY_EXPORT(round_to_bf16);
HWY_EXPORT(round_to_bf16_pairs);
HWY_EXPORT(round_to_bf16_values);
HWY_EXPORT(f16_to_f32);

RoundingCount quantize_to_f32(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_f32)(args);
}
RoundingCount round_to_f32(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(round_to_f32)(args);
}
RoundingCount quantize_to_bf16(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_bf16)(args);
}
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_bf16_pairs)(args);
}
RoundingCount quantize_to_u8(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_u8)(args);
}
RoundingCount quantize_to_i8(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_i8)(args);
}
float absmax(const float* x, size_t n) noexcept { return HWY_DYNAMIC_DISPATCH(absmax)(x, n); }
RoundingCount quantize_to_i16(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_i16)(args);
}
void round_to_bf16(const float* x, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16)(x, n, out);
}
void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16_pairs)(x, n, out);
}
void round_to_bf16_values(const float* x, size_t n, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16_values)(x, n, out);
}
void f16_to_f32(const uint16_t* x, size_t n, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(f16_to_f32)(x, n, out);
}

namespace {
// The table has the value of each code.
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
