#include "kernels/cpu/roof.h"

#include <array>
#include <cstdint>
#include <numeric>

#include "kernels/cpu/isa.h"
#include "kernels/cpu/tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/roof.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// This many sums hide the latency of two units (2 x 4 or 5 cycles), and leave some of AVX2's 16
// registers for the factors.
constexpr size_t kSums = 12;

double fma_turns(size_t turns) {
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
  // A result is used, so that the loop is not removed.
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

HWY_EXPORT(fma_turns);

namespace {

using HWY_NAMESPACE::kSums;

// This is in assembly, because Highway 1.0 has no dot products, and g++ 12 needlessly keeps integer
// sums in memory. Twelve sums, two factors and what becomes of them are registers 0 to 15, all zero
// bits at first. `add` runs on each sum and names it \\r.
#if HWY_ARCH_X86_64
#define FP8Q_TURNS(zero, add, turns)                                                             \
  do {                                                                                           \
    size_t left = turns;                                                                         \
    asm volatile(".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13\n\t " zero                             \
                 "\n\t .endr\n"                                                                  \
                 "1:\n\t"                                                                        \
                 ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11\n\t " add                                    \
                 "\n\t .endr\n\t"                                                                \
                 "dec %0\n\t"                                                                    \
                 "jnz 1b\n\t"                                                                    \
                 "vzeroupper"                                                                    \
                 : "+r"(left)                                                                    \
                 :                                                                               \
                 : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
                   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                \
  } while (false)
#else
#define FP8Q_TURNS(zero, add, turns) static_cast<void>(turns)  // isa() is scalar
#endif

// Returns the operations of a turn: sums, lanes, products of codes per lane, and 2.
constexpr double dots(double lanes, double products) { return kSums * lanes * products * 2; }

double bf16_turns(size_t turns) {
  FP8Q_TURNS("vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r", "vdpbf16ps %%zmm12, %%zmm13, %%zmm\\r", turns);
  return dots(16, 2) * static_cast<double>(turns);
}

double plain_turns(size_t turns) {
  volatile int32_t zero = 0;
  const int32_t factor = zero;
  std::array<int32_t, kSums> sums{1};
  for (size_t t = 0; t < turns; ++t)
    for (int32_t& sum : sums) sum += sum * factor;
  zero = std::accumulate(sums.begin(), sums.end(), 0);  // used, so that the loop is not removed
  return dots(1, 1) * static_cast<double>(turns);
}

// Runs the instructions that form integer products on this CPU; see gemm.h for CPUs without VNNI.
double int8_turns(size_t turns) {
  if (isa() >= Isa::avx512_vnni) {
    FP8Q_TURNS("vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r", "vpdpbusd %%zmm12, %%zmm13, %%zmm\\r", turns);
    return dots(16, 4) * static_cast<double>(turns);
  }
  if (isa() == Isa::avx512) {
    FP8Q_TURNS("vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r",
               "vpmaddwd %%zmm12, %%zmm13, %%zmm14\n\t vpaddd %%zmm14, %%zmm\\r, %%zmm\\r", turns);
    return dots(16, 2) * static_cast<double>(turns);
  }
  if (isa() == Isa::scalar) return plain_turns(turns);
  FP8Q_TURNS("vpxor %%ymm\\r, %%ymm\\r, %%ymm\\r",
             "vpaddw %%ymm12, %%ymm13, %%ymm14\n\t vpaddw %%ymm12, %%ymm13, %%ymm15\n\t"
             "vpmaddwd %%ymm14, %%ymm15, %%ymm14\n\t vpaddd %%ymm14, %%ymm\\r, %%ymm\\r",
             turns);
  return dots(8, 4) * static_cast<double>(turns);
}

}  // namespace

std::string_view name(Unit unit) {
  switch (unit) {
    case Unit::fp32:
      return "fp32";
    case Unit::bf16:
      return "bf16";
    case Unit::int8:
      return "int8";
    case Unit::bf16_tiles:
      return "bf16 tiles";
    case Unit::int8_tiles:
      return "int8 tiles";
  }
  return "?";
}

bool has_unit(Unit unit) noexcept {
  switch (unit) {
    case Unit::fp32:
    case Unit::int8:
      return true;
    case Unit::bf16:
      return isa() >= Isa::avx512_bf16;
    case Unit::bf16_tiles:
    case Unit::int8_tiles:
      break;
  }
  return isa() >= Isa::amx;
}

double run_unit(Unit unit, size_t turns) noexcept {
  if (turns == 0 || !has_unit(unit)) return 0;
  switch (unit) {
    case Unit::fp32:
      return HWY_DYNAMIC_DISPATCH(fma_turns)(turns);
    case Unit::bf16:
      return bf16_turns(turns);
    case Unit::int8:
      return int8_turns(turns);
    case Unit::bf16_tiles:
      return run_tiles(TileType::bf16, turns);
    case Unit::int8_tiles:
      return run_tiles(TileType::int8, turns);
  }
  return 0;
}

}  // namespace fp8q::cpu
#endif  // HWY_ONCE
