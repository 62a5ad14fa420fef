// What the quantization of an activation Site makes of values, for studies of single Sites.
#pragma once

#include <span>

#include "graph/site.h"

namespace fp8q {

// Values become what those that read the Site read: quantized and dequantized (where channels have
// factors, as if the weights behind it were multiplied by them). `values` are rows of
// `columns`, whole ones where each has a scale of its own. The Site must have one scale, or those.
void round_values(const Quantization& quantization, std::span<float> values, int64_t columns);

}  // namespace fp8q
