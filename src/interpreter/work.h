// Estimates how much work executing a node is, in steps: an element read or written, or a product
// of two elements, is one. Steps take about a nanosecond, and those of transcendental functions
// about ten. A number above 2^64 - 1 counts as that.
#pragma once

#include <cstdint>

#include "interpreter/operator.h"

namespace fp8q {

// Counts the elements of inputs and outputs. `outputs` is the result of infer(), here as below.
uint64_t work_of_elements(const OpContext& context, const Types& outputs);
// Counts them once for every axis, for operators that compute a position from all its indices.
uint64_t work_of_axes(const OpContext& context, const Types& outputs);
// Also counts the start of a loop for every element of the output.
uint64_t work_of_reduction(const OpContext& context, const Types& outputs);
uint64_t work_of_sorting(const OpContext& context, const Types& outputs);
// Count the products of matrices.
uint64_t work_of_matmul(const OpContext& context, const Types& outputs);
uint64_t work_of_gemm(const OpContext& context, const Types& outputs);
uint64_t work_of_attention(const OpContext& context, const Types& outputs);
uint64_t work_of_einsum(const OpContext& context, const Types& outputs);

}  // namespace fp8q
