// Applies the quantization of an activation Site to values, for studies of single Sites.
#pragma once

#include <span>

#include "graph/site.h"

namespace fp8q {

// Turns values into the numbers that the readers of the Site get: quantized and dequantized. If
// channels have factors, the values are divided by them again, as if the weights that read them
// were multiplied by the factors. `values` are rows of `columns`, whole rows if each row has its
// own scale. The Site must have one scale, or one per row.
void round_values(const Quantization& quantization, std::span<float> values, int64_t columns);

}  // namespace fp8q
