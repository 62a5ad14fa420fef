// The roof of the matrix products: what the arithmetic units of this CPU do at most, found by loops
// of nothing but multiply-adds on registers.
//
// AMX tiles are not measured: on a CPU with AMX, whose BF16 and INT8 products use them, the roofs
// of these two are those of the AVX-512 instructions, and products may exceed them.
#pragma once

#include <cstddef>
#include <string_view>

namespace fp8q::cpu {

enum class Unit {
  fp32,  // fma (product and sum, where there is none)
  bf16,  // vdpbf16ps
  int8,  // vpdpbusd; vpmaddwd and vpaddd where there is none
};
inline constexpr Unit kUnits[] = {Unit::fp32, Unit::bf16, Unit::int8};
std::string_view name(Unit unit);

// Whether isa() has the instruction.
bool has_unit(Unit unit) noexcept;

// Takes `turns` turns of the unit's loop on the calling thread, some nanoseconds each, and returns
// the number of operations done: 2 per product with its sum. The unit must be there.
double run_unit(Unit unit, size_t turns) noexcept;

}  // namespace fp8q::cpu
