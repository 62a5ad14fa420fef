#include "kernels/cpu/codec.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/tiles.h"
#include "numeric/codecs.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/codec.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/f8-inl.h"
#include "kernels/cpu/stores-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

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
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    ToBf16::store({hn::BitCast(d, bf16_bits(hn::LoadU(d, x + i)))}, hn::Zero(d), out + i);
  for (; i < n; ++i) out[i] = static_cast<uint16_t>(BFloat16Codec::encode(x[i]));
}

void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) {
  const DF d;
  constexpr size_t kStep = ToBf16Pairs::kVectors * kLanes;
  VF v[ToBf16Pairs::kVectors];
  const auto round = [&](const float* from, uint16_t* to) HWY_ATTR {
    for (size_t j = 0; j < ToBf16Pairs::kVectors; ++j)
      v[j] = hn::BitCast(d, bf16_bits(hn::LoadU(d, from + j * kLanes)));
    ToBf16Pairs::store(v, v[0], to);
  };
  size_t i = 0;
  for (; i + kStep <= n; i += kStep) round(x + i, out + i);
  if (i == n) return;
  HWY_ALIGN float rest[kStep] = {};
  HWY_ALIGN uint16_t result[kStep];
  std::memcpy(rest, x + i, (n - i) * sizeof(float));
  round(rest, result);
  std::memcpy(out + i, result, (n - i + 1) / 2 * 2 * sizeof(uint16_t));
}

void round_to_bf16_tiles(const QuantizeRows& q) {
  constexpr size_t kTogether = 16;  // columns that stand side by side wherever they begin
  auto* out = static_cast<uint16_t*>(q.out);
  for (size_t r = 0; r < q.rows; ++r)
    for (size_t c = 0; c < q.columns; c += kTogether)
      round_to_bf16(
          q.x + r * q.x_stride + c, std::min(kTogether, q.columns - c),
          out + place_in_tiles<uint16_t>(q.first_row + r, q.first_column + c, q.out_stride));
}

template <class Codec>
HWY_INLINE void f8_to_bf16_of(const uint8_t* codes, size_t n, uint16_t* out) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    ToBf16::store({decoded<Codec>(codes + i)}, hn::Zero(DF()), out + i);
  if (i == n) return;
  uint8_t rest[kLanes] = {};
  HWY_ALIGN uint16_t result[kLanes];
  std::memcpy(rest, codes + i, n - i);
  ToBf16::store({decoded<Codec>(rest)}, hn::Zero(DF()), result);
  std::memcpy(out + i, result, (n - i) * sizeof(uint16_t));
}
void f8_to_bf16(Format format, const uint8_t* codes, size_t n, uint16_t* out) {
  with_f8_codec(format, [&]<class Codec>() { f8_to_bf16_of<Codec>(codes, n, out); });
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
HWY_EXPORT(round_to_bf16);
HWY_EXPORT(round_to_bf16_pairs);
HWY_EXPORT(round_to_bf16_values);
HWY_EXPORT(round_to_bf16_tiles);
HWY_EXPORT(f8_to_bf16);
HWY_EXPORT(f16_to_f32);

void round_to_bf16(const float* x, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16)(x, n, out);
}
void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16_pairs)(x, n, out);
}
void round_to_bf16_values(const float* x, size_t n, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16_values)(x, n, out);
}
void round_to_bf16_tiles(const QuantizeRows& args) noexcept {
  HWY_DYNAMIC_DISPATCH(round_to_bf16_tiles)(args);
}
void f8_to_bf16(Format format, const uint8_t* codes, size_t n, uint16_t* out) noexcept {
  HWY_DYNAMIC_DISPATCH(f8_to_bf16)(format, codes, n, out);
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
