// Measures the roof of the matrix products, which is the most that the arithmetic units of this CPU
// can do. Loops of nothing but multiply-adds on registers find it.
#pragma once

#include <cstddef>
#include <string_view>

namespace fp8q::cpu {

enum class Unit {
  fp32,        // fma, or product and sum without it
  bf16,        // vdpbf16ps
  int8,        // vpdpbusd, or vpmaddwd with additions (gemm.h)
  bf16_tiles,  // tdpbf16ps
  int8_tiles,  // tdpbssd
};
inline constexpr Unit kUnits[] = {Unit::fp32, Unit::bf16, Unit::int8, Unit::bf16_tiles,
                                  Unit::int8_tiles};
std::string_view name(Unit unit);

// Returns whether isa() has the instruction.
bool has_unit(Unit unit) noexcept;

// Runs `turns` turns of the unit's loop on the calling thread, some nanoseconds each, and returns
// the number of operations done: 2 per product with its sum. The CPU must have the unit.
double run_unit(Unit unit, size_t turns) noexcept;

}  // namespace fp8q::cpu
