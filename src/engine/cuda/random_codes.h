// Operands for trials. A GPU runs constant data faster than real data (fewer bits change, less
// power is drawn), and by another share for each algorithm; so trials see numbers like those of
// activations.
#pragma once

#include "engine/cuda/runtime.h"
#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

// Fills [to, to + bytes) of device memory with elements of normally distributed values, the largest
// of which are near the largest code. Waits for the stream.
void fill_with_random_codes(OperandType type, void* to, size_t bytes, Stream stream);

}  // namespace fp8q::cuda
