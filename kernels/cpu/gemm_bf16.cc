// Implements gemm_bf16, and gemm_f8 with BF16. Panels are pairs of BF16, as they are packed or
// decoded from codes.
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

using Pairs = VU;

HWY_INLINE VF upper(Pairs x) { return hn::BitCast(DF(), hn::And(x, hn::Set(DU(), 0xFFFF0000u))); }
HWY_INLINE VF lower(Pairs x) { return hn::BitCast(DF(), hn::ShiftLeft<16>(x)); }

struct TwoFma : SmallTiles {
  static HWY_INLINE VF add(Pairs a, Pairs b, VF sum) {
    return hn::MulAdd(lower(a), lower(b), hn::MulAdd(upper(a), upper(b), sum));
  }
};

#if HWY_TARGET <= HWY_AVX3
// This is in assembly, because Highway 1.0 does not know the instruction.
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

  template <size_t R, size_t P, bool kFetch>
  static HWY_INLINE void multiply(const Tile& t, V (&sum)[R][P * kVectors]) {
    multiply_steps<Bf16Pairs, kFetch>(t, sum);
  }
};

template <class Product>
void halves(const GemmBf16& g) {
  multiply_packed<Bf16Pairs<Product>>(
      g, [&](const uint16_t* b, size_t, size_t) HWY_ATTR { return std::pair(b, g.panel_stride); });
}

// Decodes rows k and k + 1 as pairs.
template <class Codec>
HWY_INLINE void decode(const uint8_t* codes, size_t depth, uint16_t* values) {
  const DU d;
  for (size_t i = 0; i < depth * kPanel; i += 2 * kPanel)
    for (size_t v = 0; v < kPanel; v += kLanes) {
      const Pairs first = hn::BitCast(d, decoded<Codec>(codes + i + v));
      const Pairs second = hn::BitCast(d, decoded<Codec>(codes + i + kPanel + v));
      store_bits(hn::Or(first, hn::ShiftRight<16>(second)), d, values + i + 2 * v);
    }
}

template <class Product, class Codec>
void codes_of(const GemmF8Bf16& g) {
  using Kernel = Bf16Pairs<Product>;
  HWY_ALIGN uint16_t values[Kernel::kPanelsPerTile * Kernel::kBlock * Kernel::kStep * kPanel];
  multiply_packed<Kernel>(g, [&](const uint8_t* codes, size_t depth, size_t wide) HWY_ATTR {
    for (size_t p = 0; p < wide; ++p)
      decode<Codec>(codes + p * g.panel_stride, depth, values + p * depth * kPanel);
    return std::pair<const uint16_t*, size_t>(values, depth * kPanel);
  });
}

// Returns false if the format has no panels.
template <class Product>
bool codes(Format format, const GemmF8Bf16& g) {
  return with_f8_codec(format, [&]<class Codec>() { codes_of<Product, Codec>(g); });
}

void halves_by_fma(const GemmBf16& g) { halves<TwoFma>(g); }
bool codes_by_fma(Format format, const GemmF8Bf16& g) { return codes<TwoFma>(format, g); }
void halves_by_dots(const GemmBf16& g) { halves<DotProduct>(g); }
bool codes_by_dots(Format format, const GemmF8Bf16& g) { return codes<DotProduct>(format, g); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(halves_by_fma);
HWY_EXPORT(codes_by_fma);
HWY_EXPORT(halves_by_dots);
HWY_EXPORT(codes_by_dots);

void gemm_bf16(const GemmBf16& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  if (isa() >= Isa::avx512_bf16) HWY_DYNAMIC_DISPATCH(halves_by_dots)(args);
  else HWY_DYNAMIC_DISPATCH(halves_by_fma)(args);
}

void gemm_f8(Format format, const GemmF8Bf16& args) noexcept {
  if (args.m == 0 || args.n == 0) return;
  const bool known = isa() >= Isa::avx512_bf16 ? HWY_DYNAMIC_DISPATCH(codes_by_dots)(format, args)
                                               : HWY_DYNAMIC_DISPATCH(codes_by_fma)(format, args);
  HWY_ASSERT(known);  // otherwise it could not have been packed
}
}  // namespace fp8q::cpu
#endif  // HWY_ONCE
