#include "engine/cpu/machine.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/stopwatch.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {
namespace {

double operations_per_second(Unit unit) {
  constexpr size_t kTurns = 20000;  // some 100 microseconds
  const Stopwatch watch;
  const double operations = run_unit(unit, kTurns);
  return operations / watch.seconds();
}

// Both kinds of products give the same bits, so that only their speed matters. On AMD's CPUs BF16
// dot products are twice as fast as FP32's, on Intel's half as fast. The rates alternate, and the
// best of some counts, because anything else that the machine does only makes them slower.
bool dots_are_faster() {
  if (const char* wanted = std::getenv("FP8Q_BF16_DOTS")) return wanted == std::string_view("1");
  double fp32 = 0, bf16 = 0;
  for (int i = 0; i < 5; ++i) {
    fp32 = std::max(fp32, operations_per_second(Unit::fp32));
    bf16 = std::max(bf16, operations_per_second(Unit::bf16));
  }
  return bf16 > fp32;
}

}  // namespace

Machine machine() {
  Machine here{.isa = isa(), .bf16_dots = false};
  if (!has_unit(Unit::bf16)) return here;
  static const bool faster = dots_are_faster();
  here.bf16_dots = faster;
  return here;
}

void settle_machine() {
  if (const char* wanted = std::getenv("FP8Q_ISA"); wanted && !isa_named(wanted))
    fail(ErrorCode::usage,
         "FP8Q_ISA={}: use scalar, avx2, avx512, avx512-vnni, avx512-bf16 or amx, or unset it",
         printable(wanted));
  if (const char* dots = std::getenv("FP8Q_BF16_DOTS");
      dots && dots != std::string_view("0") && dots != std::string_view("1"))
    fail(ErrorCode::usage, "FP8Q_BF16_DOTS={}: use 0 or 1, or unset it", printable(dots));
  machine();
}

}  // namespace fp8q::cpu
