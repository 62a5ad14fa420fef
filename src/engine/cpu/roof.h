// Measures the roofs of this CPU, with the current number of threads.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace fp8q::cpu {

// Takes about 50 ms for each arithmetic unit. The result is the best of some windows, because
// anything else that the machine does only makes a window slower.
std::vector<Roof> measure_roofs();

}  // namespace fp8q::cpu
