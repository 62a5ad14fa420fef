// gemm_f32, and gemm_f8 of FP32: panels of floats, as they are packed or decoded from codes.
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
  using V = hn::Vec<D>;
  using Operands = DF;
  using Tile = HWY_NAMESPACE::Tile<float, float>;
  static constexpr size_t kStep = 1;
  // A panel's part of one block is 24 KiB: with one panel a tile it stays in the level 1 cache
  // while all rows use it, with four in the level 2 cache.
  static constexpr size_t kBlock = 384;

  static HWY_INLINE V value(V sum) { return sum; }

  static HWY_INLINE V add(V a, V b, V sum) { return hn::MulAdd(a, b, sum); }

  template <size_t R, size_t P>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    multiply_steps<Fma>(t, sum);
  }
};

void Floats(const GemmF32& g) {
  multiply_packed<Fma>(
      g, [&](const float* b, size_t, size_t) HWY_ATTR { return std::pair(b, g.panel_stride); });
}

template <Format kFormat>
HWY_INLINE void decode(const uint8_t* codes, size_t count, float* values) {
  for (size_t i = 0; i < count; i += kLanes)
    hn::Store(decoded<kFormat>(codes + i), DF(), values + i);
}

template <Format kFormat>
void Codes(const GemmF8& g) {
  HWY_ALIGN float values[Fma::kPanelsPerTile * Fma::kBlock * kPanel];
  multiply_packed<Fma>(g, [&](const uint8_t* codes, size_t depth, size_t wide) HWY_ATTR {
    for (size_t p = 0; p < wide; ++p)
      decode<kFormat>(codes + p * g.panel_stride, depth * kPanel, values + p * depth * kPanel);
    return std::pair<const float*, size_t>(values, depth * kPanel);
  });
}

void CodesE4M3(const GemmF8& g) { Codes<Format::e4m3>(g); }
void CodesE5M2(const GemmF8& g) { Codes<Format::e5m2>(g); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(Floats);
HWY_EXPORT(CodesE4M3);
HWY_EXPORT(CodesE5M2);

void gemm_f32(const GemmF32& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  HWY_DYNAMIC_DISPATCH(Floats)(args);
}

void gemm_f8(Format format, const GemmF8& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  if (format == Format::e4m3) HWY_DYNAMIC_DISPATCH(CodesE4M3)(args);
  else HWY_DYNAMIC_DISPATCH(CodesE5M2)(args);
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
