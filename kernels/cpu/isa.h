// Says which instructions the kernels use: the best that this CPU has, or fewer if told so.
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

std::string_view name(Isa isa);   // such as "avx512-vnni", as in FP8Q_ISA
std::string_view title(Isa isa);  // such as "AVX-512 with VNNI"
std::optional<Isa> isa_named(std::string_view text);

// Returns the level that the CPU and the operating system offer.
Isa detected_isa() noexcept;

// Returns the current level: the detected one, lowered by FP8Q_ISA if that names a level, or by
// limit_isa().
Isa isa() noexcept;

// Lowers the level of everything that runs from now on. The level never rises above the detected
// one.
void limit_isa(Isa highest) noexcept;

}  // namespace fp8q::cpu
