// Which instructions the kernels use: the best this CPU has, or less when told so.
//
// The environment variable FP8Q_ISA names the highest level to use, so that tests and comparisons
// can run the code of a smaller CPU on a larger one.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace fp8q::cpu {

enum class Isa {
  scalar,       // plain C
  avx2,         // AVX2, FMA, F16C
  avx512,       // AVX-512 F, BW, CD, DQ, VL
  avx512_vnni,  // and its dot products of 8-bit integers
  avx512_bf16,  // and its dot products of BF16
  amx,          // and AMX tiles of both, which oneDNN uses
};

inline constexpr std::array<std::string_view, 6> kIsaNames = {
    "scalar", "avx2", "avx512", "avx512-vnni", "avx512-bf16", "amx"};

constexpr std::string_view name(Isa isa) { return kIsaNames[static_cast<size_t>(isa)]; }
std::optional<Isa> isa_named(std::string_view text);

// What the CPU and the operating system offer.
Isa detected_isa() noexcept;

// The level in force: the one detected, lowered by FP8Q_ISA where that names a level, or by
// limit_isa().
Isa isa() noexcept;

// Lowers (never raises above the detected level) the level of everything that runs from now on.
void limit_isa(Isa highest) noexcept;

}  // namespace fp8q::cpu
