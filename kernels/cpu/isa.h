// Which instructions the kernels use: the best this CPU has, or less when told so.
//
// The environment variable FP8Q_ISA names the highest level to use, so that tests and comparisons
// can run the code of a smaller CPU on a larger one.
#pragma once

#include <optional>
#include <string_view>

namespace fp8q::cpu {

enum class Isa {
#define FP8Q_ISA(id, ...) id,
#include "kernels/cpu/isa.def"
#undef FP8Q_ISA
};

std::string_view name(Isa isa);   // "avx512-vnni", as FP8Q_ISA has it
std::string_view title(Isa isa);  // "AVX-512 with VNNI"
std::optional<Isa> isa_named(std::string_view text);

// What the CPU and the operating system offer.
Isa detected_isa() noexcept;

// The level in force: the one detected, lowered by FP8Q_ISA where that names a level, or by
// limit_isa().
Isa isa() noexcept;

// Lowers (never raises above the detected level) the level of everything that runs from now on.
void limit_isa(Isa highest) noexcept;

}  // namespace fp8q::cpu
