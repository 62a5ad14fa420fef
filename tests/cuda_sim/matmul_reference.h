// Computes the product of a cuBLASLt call, in double.
#pragma once

#include "tests/cuda_sim/cublaslt_sim.h"

namespace fp8q::sim {

// Computes D = alpha A^T B with A stored k x m and B stored k x n, by columns; sums are rounded to
// D's type.
void multiply(const MatmulCall& call);

}  // namespace fp8q::sim
