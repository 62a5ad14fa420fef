// Weights as their product sees them, whatever way the file stores them.
#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"

namespace fp8q {

// The contents of a value that is an initializer or a Constant, possibly behind Identity, Cast
// between floating-point types, and Transpose. nullopt for everything else.
std::optional<Tensor> constant_contents(const GraphIndex& index, const std::string& value);

// The tensor at the root of such a chain, as it is stored: a name where it is an initializer.
struct StoredConstant {
  Tensor tensor;
  std::string initializer;  // empty: a Constant node
};
std::optional<StoredConstant> stored_constant(const GraphIndex& index, const std::string& value);

// Axes in the order `perm`, for tensors of any type.
Tensor transposed(const Tensor& tensor, const std::vector<int64_t>& perm);

// Error (bad_model) naming the tensor where a value is NaN or infinite.
void check_finite(const Tensor& f32, const std::string& value);

}  // namespace fp8q
