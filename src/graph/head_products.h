// Finds the products of a head in a graph that was not recognized as an encoder.
#pragma once

#include <set>

#include "graph/graph.h"

namespace fp8q {

// Returns the MatMul and Gemm nodes behind the last normalization: the pooler, the classifier. The
// result of every other product enters a normalization on some way to the outputs. Returns nothing
// for a graph without such products, because nothing then tells the head apart.
std::set<size_t> head_products(const GraphIndex& index);

}  // namespace fp8q
