// gemm_bf16, and gemm_f8 of BF16: panels of pairs of BF16, as they are packed or decoded from
// codes.
#include <utility>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm_bf16.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "kernels/cpu/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

using DU = hn::RebindToUnsigned<DF>;
using VF = hn::Vec<DF>;
using Pairs = hn::Vec<DU>;

HWY_INLINE VF upper(Pairs x) { return hn::BitCast(DF(), hn::And(x, hn::Set(DU(), 0xFFFF0000u))); }
HWY_INLINE VF lower(Pairs x) { return hn::BitCast(DF(), hn::ShiftLeft<16>(x)); }

struct TwoFma : SmallTiles {
  static HWY_INLINE VF add(Pairs a, Pairs b, VF sum) {
    return hn::MulAdd(lower(a), lower(b), hn::MulAdd(upper(a), upper(b), sum));
  }
};

#if HWY_TARGET <= HWY_AVX3
// In assembly, because Highway 1.0 does not know the instruction.
struct DotProduct : LargeTiles {
  static HWY_INLINE VF add(Pairs a, Pairs b, VF sum) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
    return sum;
  }
};
#else
using DotProduct = TwoFma;
#endif

template <class Product>
struct Bf16Pairs : Product {
  using D = DF;
  using V = VF;
  using Operands = DU;
  using Tile = HWY_NAMESPACE::Tile<uint16_t, uint16_t>;
  static constexpr size_t kStep = 2;
  static constexpr size_t kBlock = 384;  // 96 KiB of four panels in the level 2 cache

  static HWY_INLINE V value(V sum) { return sum; }

  template <size_t R, size_t P>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    multiply_steps<Bf16Pairs>(t, sum);
  }
};

template <class Product>
void Halves(const GemmBf16& g) {
  multiply_packed<Bf16Pairs<Product>>(
      g, [&](const uint16_t* b, size_t, size_t) HWY_ATTR { return std::pair(b, g.panel_stride); });
}

// Rows of k and k + 1, decoded and paired.
template <Format kFormat>
HWY_INLINE void decode(const uint8_t* codes, size_t depth, uint16_t* values) {
  const DU d;
  for (size_t i = 0; i < depth * kPanel; i += 2 * kPanel)
    for (size_t v = 0; v < kPanel; v += kLanes) {
      const Pairs first = hn::BitCast(d, decoded<kFormat>(codes + i + v));
      const Pairs second = hn::BitCast(d, decoded<kFormat>(codes + i + kPanel + v));
      store_bits(hn::Or(first, hn::ShiftRight<16>(second)), d, values + i + 2 * v);
    }
}

template <class Product, Format kFormat>
void Codes(const GemmF8Bf16& g) {
  using Kernel = Bf16Pairs<Product>;
  HWY_ALIGN uint16_t values[Kernel::kPanelsPerTile * Kernel::kBlock * Kernel::kStep * kPanel];
  multiply_packed<Kernel>(g, [&](const uint8_t* codes, size_t depth, size_t wide) HWY_ATTR {
    for (size_t p = 0; p < wide; ++p)
      decode<kFormat>(codes + p * g.panel_stride, depth, values + p * depth * kPanel);
    return std::pair<const uint16_t*, size_t>(values, depth * kPanel);
  });
}

void HalvesByFma(const GemmBf16& g) { Halves<TwoFma>(g); }
void E4M3ByFma(const GemmF8Bf16& g) { Codes<TwoFma, Format::e4m3>(g); }
void E5M2ByFma(const GemmF8Bf16& g) { Codes<TwoFma, Format::e5m2>(g); }
void HalvesByDots(const GemmBf16& g) { Halves<DotProduct>(g); }
void E4M3ByDots(const GemmF8Bf16& g) { Codes<DotProduct, Format::e4m3>(g); }
void E5M2ByDots(const GemmF8Bf16& g) { Codes<DotProduct, Format::e5m2>(g); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(HalvesByFma);
HWY_EXPORT(E4M3ByFma);
HWY_EXPORT(E5M2ByFma);
HWY_EXPORT(HalvesByDots);
HWY_EXPORT(E4M3ByDots);
HWY_EXPORT(E5M2ByDots);

void gemm_bf16(const GemmBf16& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  if (isa() >= Isa::avx512_bf16) HWY_DYNAMIC_DISPATCH(HalvesByDots)(args);
  else HWY_DYNAMIC_DISPATCH(HalvesByFma)(args);
}

void gemm_f8(Format format, const GemmF8Bf16& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  const bool dots = isa() >= Isa::avx512_bf16;
  if (format == Format::e4m3) {
    if (dots) HWY_DYNAMIC_DISPATCH(E4M3ByDots)(args);
    else HWY_DYNAMIC_DISPATCH(E4M3ByFma)(args);
  } else {
    if (dots) HWY_DYNAMIC_DISPATCH(E5M2ByDots)(args);
    else HWY_DYNAMIC_DISPATCH(E5M2ByFma)(args);
  }
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
