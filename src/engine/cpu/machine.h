// Describes what kernels are chosen by.
#pragma once

#include "kernels/cpu/isa.h"

namespace fp8q::cpu {

struct Machine {
  Isa isa;
  bool bf16_dots;  // BF16 dot products exist and are worth using
};

// Returns the machine at the current level of isa().
Machine machine();

// Settles what kernels are chosen by before the first one is. Throws an Error (usage) if a variable
// of the environment that decides about it (FP8Q_ISA, FP8Q_BF16_DOTS) has a value that is none.
void settle_machine();

}  // namespace fp8q::cpu
