// Implements the quantizing functions of codec.h.
//
// Nearly always all values are finite and their quotients moderate. Then the division takes three
// multiply-adds, and underflow is counted by magnitudes; see quantize_limits.h. Some rows at a time
// are quantized so, and again if their absmax tells that this does not hold for them. Where they
// have been overwritten by then, or have scales of their own, absmax is found first.
#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/cpu/codec.h"
#include "kernels/cpu/quantize_limits.h"
#include "kernels/cpu/tiles.h"
#include "numeric/codecs.h"
#include "numeric/token_scale.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quantize.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/stores-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE VI magnitude_bits(VF v) { return hn::BitCast(DI(), hn::Abs(v)); }
HWY_INLINE uint32_t largest_lane(VI v) {
  return static_cast<uint32_t>(hn::GetLane(hn::MaxOfLanes(DI(), v)));
}

// Rounds a magnitude to the values of a small float. Adding the power of two that leaves no bits
// for less than the format's step at v rounds, to nearest even, to whole steps. Below the smallest
// normal number the step is fixed. Values beyond the largest become the largest.
template <class Codec>
HWY_INLINE VF round_magnitude(VF v) {
  const DF d;
  const DI di;
  const VF limited = at_most(hn::Set(d, Codec::largest()), v);
  const auto power = hn::Max(hn::And(hn::BitCast(di, limited), hn::Set(di, 0x7F800000)),
                             hn::Set(di, std::bit_cast<int32_t>(Codec::smallest_normal())));
  const VF rounder = hn::BitCast(d, hn::Add(power, hn::Set(di, (23 - Codec::kMantissa) << 23)));
  return hn::Sub(hn::Add(limited, rounder), rounder);
}

// Rounds to integers within the format's range. 1.5 * 2^23 leaves no bits for a fraction, so the
// sum is rounded, to nearest even, to an integer, equally on every target. NaN must not occur.
template <class Codec>
HWY_INLINE VF round_integer(VF v) {
  const DF d;
  const VF limited = hn::Min(hn::Max(v, hn::Set(d, Codec::lowest())), hn::Set(d, Codec::largest()));
  const VF rounder = hn::Set(d, 12582912.0f);
  return hn::Sub(hn::Add(limited, rounder), rounder);
}

HWY_INLINE VF sign_of(VF v) { return hn::And(v, hn::BitCast(DF(), hn::Set(DI(), INT32_MIN))); }

// Quantizes any values: divides, and looks at every quotient.
template <class Codec>
class AnyValue {
 public:
  AnyValue(float scale, const QuantizeLimits&) : scale_(hn::Set(DF(), scale)) {}
  HWY_INLINE VF operator()(VF x) {
    const DF d;
    const VF quotient = hn::Div(x, scale_);
    const VF v = value(quotient);
    count_.saturated += hn::CountTrue(d, saturates(quotient));
    count_.underflowed +=
        hn::CountTrue(d, hn::And(hn::Gt(hn::Abs(x), hn::Zero(d)), hn::Eq(v, hn::Zero(d))));
    return v;
  }
  RoundingCount count() const { return count_; }
  uint32_t largest() const { return 0; }  // nobody asks

 private:
  static HWY_INLINE VF value(VF v) {
    if constexpr (Codec::kInteger) return round_integer<Codec>(hn::IfThenZeroElse(hn::IsNaN(v), v));
    else return hn::Or(round_magnitude<Codec>(hn::Abs(v)), sign_of(v));
  }
  // Returns whether v is nearer to what would follow the largest code if there were one.
  static HWY_INLINE auto saturates(VF v) {
    const DF d;
    if constexpr (Codec::kInteger) {
      return hn::Or(hn::Gt(v, hn::Set(d, Codec::largest() + 0.5f)),
                    hn::Lt(v, hn::Set(d, Codec::lowest() - 0.5f)));
    } else {
      constexpr float kStep = Codec::largest() - Codec::decode(Codec::kMaxCode - 1);
      return hn::Gt(hn::Abs(v), hn::Set(d, Codec::largest() + kStep / 2));
    }
  }

  VF scale_;
  RoundingCount count_;
};

// Quantizes values within QuantizeLimits::quick. Does not count saturation.
template <class Codec>
class QuickValue {
 public:
  QuickValue(float scale, const QuantizeLimits& limits)
      : scale_(hn::Set(DF(), scale)),
        inverse_(hn::Set(DF(), limits.inverse)),
        zero_(hn::Set(DI(), static_cast<int32_t>(limits.zero ^ kTop))),
        lost_(hn::Zero(DI())),
        largest_(hn::Zero(DI())) {}
  HWY_INLINE VF operator()(VF x) {
    note(x);
    if constexpr (Codec::kInteger) return round_integer<Codec>(quotient(x));
    else return hn::Or(round_magnitude<Codec>(quotient(hn::Abs(x))), sign_of(x));
  }
  // Returns the quotient as an integer that is not limited. Those who write 8 bits limit it.
  HWY_INLINE VI integer(VF x) requires(Codec::kInteger&& Codec::kBits == 8) {
    note(x);
    return hn::NearestInt(quotient(x));
  }
  // Returns the bits of the largest magnitude seen.
  uint32_t largest() const { return largest_lane(largest_); }
  RoundingCount count() const {
    HWY_ALIGN int32_t lanes[kLanes];
    hn::Store(lost_, DI(), lanes);
    RoundingCount count;
    for (const int32_t lane : lanes) count.underflowed += static_cast<uint64_t>(lane);
    return count;
  }

 private:
  static constexpr uint32_t kTop = 0x80000000;
  // Values other than 0 underflow up to `zero`. Magnitudes less 1 are compared as unsigned numbers,
  // so that 0 is the largest; moved by 2^31 these are signed.
  HWY_INLINE void note(VF x) {
    const DI di;
    const VI bits = magnitude_bits(x);
    largest_ = hn::Max(largest_, bits);
    const VI moved = hn::Add(bits, hn::Set(di, static_cast<int32_t>(kTop - 1)));
    lost_ = hn::Sub(lost_, hn::VecFromMask(di, hn::Lt(moved, zero_)));
  }
  HWY_INLINE VF quotient(VF x) const { return divided(x, scale_, inverse_); }

  VF scale_, inverse_;
  VI zero_, lost_, largest_;
};

// Returns x, or x times factors, from index i on.
HWY_INLINE VF multiplied(const float* x, const float* factors, size_t i) {
  const DF d;
  const VF v = hn::LoadU(d, x + i);
  return factors ? hn::Mul(v, hn::LoadU(d, factors + i)) : v;
}
HWY_INLINE VF multiplied_first(const float* x, const float* factors, size_t i, size_t n) {
  const VF v = load_first(x + i, n);
  return factors ? hn::Mul(v, load_first(factors + i, n)) : v;
}

// Compares magnitudes as integers, which have the same order, with NaN above all numbers.
HWY_INLINE VI largest_of_row(const float* x, const float* factors, size_t n, VI largest) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    largest = hn::Max(largest, magnitude_bits(multiplied(x, factors, i)));
  if (i < n) largest = hn::Max(largest, magnitude_bits(multiplied_first(x, factors, i, n - i)));
  return largest;
}
float absmax(const float* x, size_t n) {
  return std::bit_cast<float>(largest_lane(largest_of_row(x, nullptr, n, hn::Zero(DI()))));
}

// Say where an element of an operand stands.
struct InRows {
  template <typename T>
  static HWY_INLINE T* place(const QuantizeRows& q, size_t row, size_t column) {
    return static_cast<T*>(q.out) + row * q.out_stride + column;
  }
};
struct InTiles {
  template <typename T>
  static HWY_INLINE T* place(const QuantizeRows& q, size_t row, size_t column) {
    return static_cast<T*>(q.out) +
           place_in_tiles<T>(q.first_row + row, q.first_column + column, q.out_stride);
  }
};

// Rows that are quantized alike.
struct Rows {
  const QuantizeRows& all;
  size_t from, to;
  float scale;
};

template <class Value, class To>
HWY_INLINE void put(Value& value, const VF (&x)[To::kVectors], VF scale, typename To::T* to) {
  if constexpr (requires { To::store({value.integer(x[0])}, to); }) {
    VI v[To::kVectors];
    for (size_t i = 0; i < To::kVectors; ++i) v[i] = value.integer(x[i]);
    To::store(v, to);
  } else {
    VF v[To::kVectors];
    for (size_t i = 0; i < To::kVectors; ++i) v[i] = value(x[i]);
    To::store(v, scale, to);
  }
}

// Says what quantizing some rows met.
struct Met {
  RoundingCount count;
  uint32_t largest;  // the bits of the largest magnitude
};

// Everything that the inner loop needs is local, since its stores could alias what is not.
template <class Value, class To, class Where>
Met quantize_by(const Rows& rows, const QuantizeLimits& limits) {
  using T = typename To::T;
  constexpr size_t kStep = To::kVectors * kLanes;
  const QuantizeRows q = rows.all;
  const VF scale = hn::Set(DF(), rows.scale);
  Value value(rows.scale, limits);
  for (size_t r = rows.from; r < rows.to; ++r) {
    const float* x = q.x + r * q.x_stride;
    VF v[To::kVectors];
    size_t c = 0;
    for (; c + kStep <= q.columns; c += kStep) {
      for (size_t i = 0; i < To::kVectors; ++i) v[i] = multiplied(x, q.factors, c + i * kLanes);
      put<Value, To>(value, v, scale, Where::template place<T>(q, r, c));
    }
    if (c == q.columns) continue;
    for (size_t i = 0; i < To::kVectors; ++i) {
      const size_t at = std::min(c + i * kLanes, q.columns);
      v[i] = multiplied_first(x, q.factors, at, std::min(kLanes, q.columns - at));
    }
    HWY_ALIGN T last[kStep];
    put<Value, To>(value, v, scale, last);
    const size_t groups = (q.columns - c + To::kGroup - 1) / To::kGroup;
    std::memcpy(Where::template place<T>(q, r, c), last, groups * To::kGroup * sizeof(T));
  }
  return {value.count(), value.largest()};
}

uint64_t count_saturated(const Rows& rows, const QuantizeLimits& limits) {
  const DF d;
  const QuantizeRows& q = rows.all;
  const VF above = hn::Set(d, limits.above), below = hn::Set(d, limits.below);
  uint64_t count = 0;
  const auto add = [&](VF v) HWY_ATTR {
    count += hn::CountTrue(d, hn::Gt(v, above)) + hn::CountTrue(d, hn::Lt(v, below));
  };
  for (size_t r = rows.from; r < rows.to; ++r) {
    const float* x = q.x + r * q.x_stride;
    size_t c = 0;
    for (; c + kLanes <= q.columns; c += kLanes) add(multiplied(x, q.factors, c));
    if (c < q.columns) add(multiplied_first(x, q.factors, c, q.columns - c));
  }
  return count;
}

template <class Codec, class To, class Where>
RoundingCount quantize_rows(const QuantizeRows& q) {
  using Any = AnyValue<Codec>;
  using Quick = QuickValue<Codec>;
  // With a scale for each row, one row at a time; otherwise rows that stay in the level 1 cache.
  const size_t together = q.row_scales ? 1 : 8;
  const bool ask_first = q.row_scales || q.x == q.out;
  QuantizeLimits limits{};
  if (!q.row_scales) limits = QuantizeLimits::of<Codec>(q.scale);
  RoundingCount count;
  for (size_t from = 0; from < q.rows; from += together) {
    Rows rows{q, from, std::min(from + together, q.rows), q.scale};
    uint32_t largest = 0;
    if (ask_first) {
      VI lanes = hn::Zero(DI());
      for (size_t r = from; r < rows.to; ++r)
        lanes = largest_of_row(q.x + r * q.x_stride, q.factors, q.columns, lanes);
      largest = largest_lane(lanes);
    }
    if (q.row_scales) {
      rows.scale = q.row_scales[from] = token_scale(q.format, std::bit_cast<float>(largest));
      limits = QuantizeLimits::of<Codec>(rows.scale);
    }
    const auto saturated = [&](uint32_t most) {
      return most > limits.unclipped ? count_saturated(rows, limits) : 0;
    };
    const auto take_any = [&] { count += quantize_by<Any, To, Where>(rows, limits).count; };
    if (limits.quick == 0 || largest > limits.quick) {
      take_any();
      continue;
    }
    if (ask_first) count.saturated += saturated(largest);
    const Met quick = quantize_by<Quick, To, Where>(rows, limits);
    if (!ask_first) {
      if (quick.largest > limits.quick) {
        take_any();
        continue;
      }
      count.saturated += saturated(quick.largest);
    }
    count += quick.count;
  }
  return count;
}

template <class To, class Where = InRows>
RoundingCount quantize_by_format(const QuantizeRows& q) {
  return with_format(
      q.format, [&]<Format kFormat>() { return quantize_rows<CodecOf<kFormat>, To, Where>(q); });
}
template <class To, class Where = InRows>
RoundingCount quantize_integers(const QuantizeRows& q) {
  return with_format(q.format, [&]<Format kFormat>() {
    if constexpr (CodecOf<kFormat>::kInteger) return quantize_rows<CodecOf<kFormat>, To, Where>(q);
    else return RoundingCount{};  // not called for these
  });
}

RoundingCount quantize_to_f32(const QuantizeRows& q) { return quantize_by_format<ToF32>(q); }
RoundingCount round_to_f32(const QuantizeRows& q) { return quantize_by_format<ToRounded>(q); }
RoundingCount quantize_to_bf16(const QuantizeRows& q) { return quantize_by_format<ToBf16>(q); }
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& q) {
  return quantize_by_format<ToBf16Pairs>(q);
}
RoundingCount quantize_to_i8(const QuantizeRows& q) { return quantize_integers<ToI8>(q); }
RoundingCount quantize_to_u8(const QuantizeRows& q) { return quantize_integers<ToU8>(q); }
RoundingCount quantize_to_i16(const QuantizeRows& q) { return quantize_integers<ToI16>(q); }
RoundingCount quantize_to_i8_tiles(const QuantizeRows& q) {
  return quantize_integers<ToI8OfTile, InTiles>(q);
}
RoundingCount quantize_to_bf16_tiles(const QuantizeRows& q) {
  return quantize_by_format<ToBf16, InTiles>(q);
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
HWY_EXPORT(quantize_to_i16);
HWY_EXPORT(quantize_to_i8_tiles);
HWY_EXPORT(quantize_to_bf16_tiles);
HWY_EXPORT(absmax);

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
RoundingCount quantize_to_i8(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_i8)(args);
}
RoundingCount quantize_to_u8(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_u8)(args);
}
RoundingCount quantize_to_i16(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_i16)(args);
}
RoundingCount quantize_to_i8_tiles(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_i8_tiles)(args);
}
RoundingCount quantize_to_bf16_tiles(const QuantizeRows& args) noexcept {
  return HWY_DYNAMIC_DISPATCH(quantize_to_bf16_tiles)(args);
}
float absmax(const float* x, size_t n) noexcept { return HWY_DYNAMIC_DISPATCH(absmax)(x, n); }
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
