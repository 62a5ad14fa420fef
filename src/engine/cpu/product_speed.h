// Measures how fast this CPU forms whole products, with the current number of threads.
#pragma once

#include <vector>

#include "engine/engine.h"

namespace fp8q::cpu {

// Describes a linear layer, and for how many tokens it runs.
struct ProductShape {
  size_t in, out, rows;
};

// Measures a layer with random weights in floating point and with both sides in every format, its
// input rounded and its product formed. Formats take turns, and the best of some turns counts,
// because anything else that the machine does only makes them slower. Takes about 50 times one run.
std::vector<ProductSpeed> measure_product_speeds(const ProductShape& shape);

}  // namespace fp8q::cpu
