// Measures how fast this CPU forms whole products, with the current number of threads.
#pragma once

#include <optional>
#include <vector>

#include "engine/cpu/prepared_linear.h"
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

// Returns normally distributed values, the same at every call.
std::vector<float> normal_floats(size_t n);

// Makes a layer with such weights, both sides in `format`, or in floating point if it is nullopt.
PreparedLinear random_layer(size_t in, size_t out, const std::optional<Format>& format);

}  // namespace fp8q::cpu
