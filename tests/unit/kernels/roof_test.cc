#include "kernels/cpu/roof.h"

#include <algorithm>
#include <chrono>

#include "kernel_testing.h"

namespace fp8q::cpu {
namespace {

// Returns the operations per second of the calling thread, the best of some short windows.
double rate(Unit unit) {
  double best = 0;
  for (int i = 0; i < 8; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double done = run_unit(unit, 100000);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, done / seconds.count());
  }
  return best;
}

TEST(Roof, CountsEveryTurn) {
  for_each_isa([](Isa) {
    for (const Unit unit : kUnits) {
      if (!has_unit(unit)) continue;
      const double one = run_unit(unit, 1);
      EXPECT_GT(one, 0.0);
      EXPECT_EQ(run_unit(unit, 1000), 1000 * one) << name(unit);
      EXPECT_EQ(run_unit(unit, 0), 0.0);
    }
  });
}

TEST(Roof, RisesWithTheInstructions) {
  double before = 0;
  for_each_isa([&](Isa level) {
    if (level > Isa::avx2) return;  // some CPUs run AVX-512 as two halves
    const double fp32 = rate(Unit::fp32);
    EXPECT_GT(fp32, before);
    EXPECT_GT(fp32, 1e8);
    EXPECT_LT(fp32, 1e12);  // 128 operations a cycle at 8 GHz: the loop was not optimized away
    before = fp32;
  });
  EXPECT_TRUE(has_unit(Unit::fp32));
  EXPECT_TRUE(has_unit(Unit::int8));
  EXPECT_EQ(has_unit(Unit::bf16), isa() >= Isa::avx512_bf16);
  EXPECT_EQ(has_unit(Unit::bf16_tiles), isa() >= Isa::amx);
  if (isa() >= Isa::amx) {
    EXPECT_GT(rate(Unit::bf16_tiles), rate(Unit::fp32));
    EXPECT_GT(rate(Unit::int8_tiles), 1.2 * rate(Unit::bf16_tiles));
  }
  if (isa() == Isa::scalar) return;
  // Without VNNI the rate depends on the CPU's ports: it is between the same and twice as much.
  EXPECT_GT(rate(Unit::int8), (isa() >= Isa::avx512_vnni ? 1.2 : 0.7) * rate(Unit::fp32));
  EXPECT_LT(rate(Unit::int8), 10 * rate(Unit::fp32));
}

}  // namespace
}  // namespace fp8q::cpu
