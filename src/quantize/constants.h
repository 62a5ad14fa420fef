// Finds weights as their product sees them, however the file stores them.
#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"

namespace fp8q {

// Returns the contents of a value that is an initializer or a Constant, possibly behind Identity,
// Cast between floating-point types, and Transpose. Contents of 16 bits are returned as FP32.
// Returns nullopt for everything else.
std::optional<Tensor> constant_contents(const GraphIndex& index, const std::string& value);
// Returns the type of such a value without its contents.
std::optional<DType> constant_type(const GraphIndex& index, const std::string& value);

// Describes the stored tensor at the root of such a chain. It has a name if it is an initializer.
struct StoredConstant {
  Tensor tensor;
  std::string initializer;  // empty for a Constant node
};
std::optional<StoredConstant> stored_constant(const GraphIndex& index, const std::string& value);

// Puts the axes in the order `perm`. The tensor may have any type.
Tensor transposed(const Tensor& tensor, const std::vector<int64_t>& perm);

// Throws an Error (bad_model) that names the tensor if a value is NaN or infinite.
void check_finite(const Tensor& f32, const std::string& value);
// Throws an Error (unsupported) that names the weight if it is not FP32; otherwise does the same.
void check_weight(const Tensor& weight, const std::string& value);

}  // namespace fp8q
