// Makes operands for trials. A GPU runs constant data faster than real data (fewer bits change,
// less power is drawn), by a share that differs between algorithms. So trials see numbers like
// those of activations.
#pragma once

#include "engine/cuda/runtime.h"
#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

// Fills [to, to + bytes) of device memory with elements of normally distributed values. The largest
// of them are near the largest code. Waits for the stream.
void fill_with_random_codes(OperandType type, void* to, size_t bytes, Stream stream);

}  // namespace fp8q::cuda
