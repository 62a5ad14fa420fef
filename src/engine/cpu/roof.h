// The measured roofs of this CPU, with as many threads as are in force.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace fp8q::cpu {

// About 50 ms for each arithmetic unit: the best of some windows, because whatever else the machine
// does only makes a window slower.
std::vector<Roof> measure_roofs();

}  // namespace fp8q::cpu
