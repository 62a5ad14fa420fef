// Implements gemm_f32, and gemm_f8 with FP32. Panels are floats, as they are packed or decoded from
// codes.
#include <utility>

#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm_f32.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "kernels/cpu/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

struct Fma : LargeTiles {
  using D = DF;
  using V = VF;
  using Operands = DF;
  using Tile = HWY_NAMESPACE::Tile<float, float>;
  static constexpr size_t kStep = 1;
  // With one panel a tile, a panel's part of one block is 96 KiB, which streams from the level 2
  // cache. On Zen 3 that measured 2 to 6 % faster than 24 KiB in the level 1 cache, because sums
  // are moved less often. With four panels all parts stay in the level 2 cache.
  static constexpr size_t kBlock = kPanelsPerTile == 1 ? 1536 : 384;

  static HWY_INLINE V value(V sum) { return sum; }

  static HWY_INLINE V add(V a, V b, V sum) { return hn::MulAdd(a, b, sum); }

  template <size_t R, size_t P, bool kFetch>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    multiply_steps<Fma, kFetch>(t, sum);
  }
};

void floats(const GemmF32& g) {
  multiply_packed<Fma>(
      g, [&](const float* b, size_t, size_t) HWY_ATTR { return std::pair(b, g.panel_stride); });
}

template <class Codec>
HWY_INLINE void decode(const uint8_t* codes, size_t count, float* values) {
  for (size_t i = 0; i < count; i += kLanes) hn::Store(decoded<Codec>(codes + i), DF(), values + i);
}

template <class Codec>
void codes_of(const GemmF8& g) {
  HWY_ALIGN float values[Fma::kPanelsPerTile * Fma::kBlock * kPanel];
  multiply_packed<Fma>(g, [&](const uint8_t* codes, size_t depth, size_t wide) HWY_ATTR {
    for (size_t p = 0; p < wide; ++p)
      decode<Codec>(codes + p * g.panel_stride, depth * kPanel, values + p * depth * kPanel);
    return std::pair<const float*, size_t>(values, depth * kPanel);
  });
}

// Returns false if the format has no panels.
bool codes(Format format, const GemmF8& g) {
  return with_f8_codec(format, [&]<class Codec>() { codes_of<Codec>(g); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(floats);
HWY_EXPORT(codes);

void gemm_f32(const GemmF32& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  HWY_DYNAMIC_DISPATCH(floats)(args);
}

void gemm_f8(Format format, const GemmF8& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  const bool known = HWY_DYNAMIC_DISPATCH(codes)(format, args);
  HWY_ASSERT(known);  // otherwise it could not have been packed
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
