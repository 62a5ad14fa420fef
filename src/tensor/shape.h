// Lists the dimensions of a tensor, outermost first. Every dimension is >= 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fp8q {

using Shape = std::vector<int64_t>;

// Tensors of models have at most this many dimensions.
inline constexpr int kMaxRank = 16;

// Returns the number of elements, or nullopt on overflow or a negative dimension. An empty shape is
// a scalar with one element.
std::optional<uint64_t> checked_elements(const Shape& shape);
// Returns the same for a shape that is known to be valid.
int64_t elements(const Shape& shape);

std::string to_string(const Shape& shape);  // "[2, 3]"; a long one is cut

// Returns the shape that NumPy's broadcasting gives for two shapes, or nullopt if they do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

}  // namespace fp8q
