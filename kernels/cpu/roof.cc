#include "kernels/cpu/roof.h"

#include "kernels/cpu/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/roof.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// As many sums as hide the latency of two units (2 x 4 or 5 cycles), and leave registers of AVX2's
// 16 for the factors.
constexpr size_t kSums = 12;

double FmaTurns(size_t turns) {
  const hn::ScalableTag<float> d;
  HWY_ALIGN float start[kSums * hn::MaxLanes(d)];
  for (size_t i = 0; i < kSums * hn::MaxLanes(d); ++i) start[i] = static_cast<float>(i + 1);
  using V = hn::Vec<decltype(d)>;
  V sum[kSums];
  for (size_t s = 0; s < kSums; ++s) sum[s] = hn::Load(d, start + s * hn::Lanes(d));
  // Each sum tends to 1, far from overflow and from subnormal numbers.
  const V factor = hn::Set(d, 0.999f), term = hn::Set(d, 0.001f);
  for (size_t t = 0; t < turns; ++t)
    for (size_t s = 0; s < kSums; ++s) sum[s] = hn::MulAdd(sum[s], factor, term);
  for (size_t s = 1; s < kSums; ++s) sum[0] = hn::Add(sum[0], sum[s]);
  // A result that is used, so that the loop is not removed.
  volatile float used = hn::GetLane(sum[0]);
  static_cast<void>(used);
  return 2.0 * static_cast<double>(turns * kSums * hn::Lanes(d));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {

HWY_EXPORT(FmaTurns);

namespace {

// Highway 1.0 has no dot products. In assembly, because g++ 12 keeps the sums of vpdpbusd's
// intrinsic in memory; the twelve sums and two factors are zmm0 to zmm13, all zero bits at first.
#if HWY_ARCH_X86_64
#define FP8Q_DOT_TURNS(instruction, turns)                                                      \
  do {                                                                                          \
    size_t left = turns;                                                                        \
    asm volatile(                                                                               \
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13\n\t vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r"       \
        "\n\t .endr\n"                                                                          \
        "1:\n\t"                                                                                \
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11\n\t " instruction                                    \
        " %%zmm12, %%zmm13, %%zmm\\r\n\t .endr\n\t"                                             \
        "dec %0\n\t"                                                                            \
        "jnz 1b\n\t"                                                                            \
        "vzeroupper"                                                                            \
        : "+r"(left)                                                                            \
        :                                                                                       \
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
          "xmm10", "xmm11", "xmm12", "xmm13");                                                  \
  } while (false)
#else
#define FP8Q_DOT_TURNS(instruction, turns) static_cast<void>(turns)  // has_unit() is false
#endif

// Sums x lanes x products per lane x 2.
constexpr double kBf16PerTurn = 12.0 * 16 * 2 * 2, kInt8PerTurn = 12.0 * 16 * 4 * 2;

}  // namespace

std::string_view name(Unit unit) {
  switch (unit) {
    case Unit::fp32:
      return "fp32";
    case Unit::bf16:
      return "bf16";
    case Unit::int8:
      return "int8";
  }
  return "?";
}

bool has_unit(Unit unit) noexcept {
  switch (unit) {
    case Unit::fp32:
      return true;
    case Unit::bf16:
      return isa() >= Isa::avx512_bf16;
    case Unit::int8:
      return isa() >= Isa::avx512_vnni;
  }
  return false;
}

double run_unit(Unit unit, size_t turns) noexcept {
  if (turns == 0) return 0;
  switch (unit) {
    case Unit::fp32:
      return HWY_DYNAMIC_DISPATCH(FmaTurns)(turns);
    case Unit::bf16:
      FP8Q_DOT_TURNS("vdpbf16ps", turns);
      return kBf16PerTurn * static_cast<double>(turns);
    case Unit::int8:
      FP8Q_DOT_TURNS("vpdpbusd", turns);
      return kInt8PerTurn * static_cast<double>(turns);
  }
  return 0;
}

}  // namespace fp8q::cpu
#endif  // HWY_ONCE
