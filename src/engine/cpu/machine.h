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

}  // namespace fp8q::cpu
