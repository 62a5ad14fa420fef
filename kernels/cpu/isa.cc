#include "kernels/cpu/isa.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "hwy/highway.h"

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

Isa detect() noexcept {
  const int64_t targets = hwy::SupportedTargets();
  if (!(targets & (HWY_AVX2 | HWY_AVX3))) return Isa::scalar;
  if (!(targets & HWY_AVX3)) return Isa::avx2;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512vnni")) return Isa::avx512;
  if (!__builtin_cpu_supports("avx512bf16")) return Isa::avx512_vnni;
  const bool tiles = __builtin_cpu_supports("amx-int8") && __builtin_cpu_supports("amx-bf16");
  return tiles ? Isa::amx : Isa::avx512_bf16;
}

}  // namespace

std::string_view name(Isa isa) { return kRows[static_cast<size_t>(isa)].name; }
std::string_view title(Isa isa) { return kRows[static_cast<size_t>(isa)].title; }

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
  int64_t targets = hwy::SupportedTargets();
  if (use < Isa::avx512) targets &= ~(HWY_AVX3 | HWY_AVX3_DL);
  if (use < Isa::avx2) targets &= ~HWY_AVX2;
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
