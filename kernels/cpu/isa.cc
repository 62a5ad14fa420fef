#include "kernels/cpu/isa.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "hwy/highway.h"
#if HWY_ARCH_X86
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace fp8q::cpu {
namespace {

struct Row {
  Isa isa;
  std::string_view name, title;
};
constexpr Row kRows[] = {
#define FP8Q_ISA(id, name, title) {Isa::id, name, title},
#include "kernels/cpu/isa.def"
#undef FP8Q_ISA
};

std::atomic<int> level{-1};

#if HWY_ARCH_X86
// Asks Linux to save the tiles' state of this process's threads, which it does not do by itself.
bool tiles_are_permitted() noexcept {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

// Returns whether the CPU has tiles of INT8 and BF16 and the operating system saves their state.
// clang's __builtin_cpu_supports() does not know them. XGETBV exists wherever AVX-512 is in use.
bool has_tiles() noexcept {
  constexpr unsigned kTileBf16 = 1u << 22, kTileInt8 = 1u << 25;  // CPUID, leaf 7, EDX
  constexpr unsigned kTileState = 3u << 17;                       // XCR0
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  unsigned saved = 0, high = 0;
  asm volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  return (edx & kTileBf16) && (edx & kTileInt8) && (saved & kTileState) == kTileState &&
         tiles_are_permitted();
}
#endif

// Other processors than x86 have the first level, whose vectors are those of Highway's baseline.
Isa detect() noexcept {
#if HWY_ARCH_X86
  const int64_t targets = hwy::SupportedTargets();
  if (!(targets & (HWY_AVX2 | HWY_AVX3))) return Isa::scalar;
  if (!(targets & HWY_AVX3)) return Isa::avx2;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::avx512;
  if (!__builtin_cpu_supports("avx512bf16")) return Isa::avx512_vnni;
  return has_tiles() ? Isa::amx : Isa::avx512_bf16;
#else
  return Isa::scalar;
#endif
}

}  // namespace

std::string_view name(Isa isa) { return kRows[static_cast<size_t>(isa)].name; }
std::string_view title(Isa isa) {
  // The first level has what Highway's baseline has, which depends on its version and the
  // processor.
  if (isa == Isa::scalar && !(HWY_STATIC_TARGET & (HWY_SCALAR | HWY_EMU128)))
    return hwy::TargetName(HWY_STATIC_TARGET);
  return kRows[static_cast<size_t>(isa)].title;
}

std::optional<Isa> isa_named(std::string_view text) {
  for (const Row& row : kRows)
    if (row.name == text) return row.isa;
  return std::nullopt;
}

Isa detected_isa() noexcept {
  static const Isa detected = detect();
  return detected;
}

void limit_isa(Isa highest) noexcept {
  const Isa use = std::min(highest, detected_isa());
  // Lower bits are better targets. Newer versions of Highway have some above AVX-512.
  int64_t targets = hwy::SupportedTargets();
  if (use < Isa::avx512_vnni) targets &= ~(int64_t{HWY_AVX3} - 1);
  if (use < Isa::avx512) targets &= ~int64_t{HWY_AVX3};
  if (use < Isa::avx2) targets &= ~int64_t{HWY_AVX2};
  hwy::GetChosenTarget().Update(targets);
  level = static_cast<int>(use);
}

Isa isa() noexcept {
  const int known = level.load();
  if (known >= 0) return static_cast<Isa>(known);
  const char* wanted = std::getenv("FP8Q_ISA");
  limit_isa(wanted ? isa_named(wanted).value_or(detected_isa()) : detected_isa());
  return static_cast<Isa>(level.load());
}

}  // namespace fp8q::cpu
