// Finds the positions of elements: strides, axes, and copying between layouts. Elements are moved
// as bytes, so every type works.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "interpreter/operator.h"

namespace fp8q {

using Strides = std::vector<int64_t>;  // in elements, one per dimension

Strides strides_of(const Shape& shape);  // row-major
// Returns the strides that read a tensor of shape `from` as the broadcast shape `to`: zero for
// dimensions that are repeated.
Strides broadcast_strides(const Shape& from, const Shape& to);

// Converts an axis that may count from the end to an index below `rank`. Throws an Error
// (bad_model) if it is out of range.
size_t normalized_axis(const OpContext& context, int64_t axis, size_t rank);
// Returns the axes sorted; an axis that occurs twice is an Error.
std::vector<size_t> normalized_axes(const OpContext& context, const std::vector<int64_t>& axes,
                                    size_t rank);

// Describes a shape seen from one axis: outer x length x inner elements.
struct AxisView {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;

  // The elements along the axis form outer x inner lines. Neighbors in a line are `inner` elements
  // apart.
  int64_t lines() const { return outer * inner; }
  int64_t start_of_line(int64_t line) const { return line / inner * length * inner + line % inner; }
};
AxisView axis_view(const Shape& shape, size_t axis);
// Returns the product of the dimensions [from, to).
int64_t elements_between(const Shape& shape, size_t from, size_t to);

// Walks over all indices of `shape` row by row (a row is the last dimension), with N strides at
// once. Calls f(position, count, offsets, steps) for each row: its element i is the element
// position + i in row-major order, and is at offsets[n] + i * steps[n] under the n-th strides.
template <size_t N, typename F>
void for_each_row(const Shape& shape, const std::array<Strides, N>& strides, F&& f) {
  if (elements(shape) == 0) return;
  const size_t outer = shape.empty() ? 0 : shape.size() - 1;
  const int64_t count = shape.empty() ? 1 : shape.back();
  std::array<int64_t, N> offsets{};
  std::array<int64_t, N> steps{};
  for (size_t n = 0; n < N && !shape.empty(); ++n) steps[n] = strides[n].back();
  Shape index(outer, 0);
  const int64_t rows = elements(shape) / count;
  for (int64_t row = 0; row < rows; ++row) {
    f(row * count, count, offsets, steps);
    for (size_t d = outer; d-- > 0;) {
      for (size_t n = 0; n < N; ++n) offsets[n] += strides[n][d];
      if (++index[d] < shape[d]) break;
      for (size_t n = 0; n < N; ++n) offsets[n] -= strides[n][d] * shape[d];
      index[d] = 0;
    }
  }
}

// Writes to `to`, in row-major order of `shape`, the elements of `from` at `base` + index .
// strides.
void copy_strided(const Tensor& from, int64_t base, const Shape& shape, const Strides& strides,
                  std::byte* to);

// Calls f(std::integral_constant<size_t, N>), where N is the size of an element.
template <typename F>
void visit_element_size(DType dtype, F&& f) {
  switch (element_size(dtype)) {
    case 1:
      return f(std::integral_constant<size_t, 1>{});
    case 2:
      return f(std::integral_constant<size_t, 2>{});
    case 4:
      return f(std::integral_constant<size_t, 4>{});
    default:
      FP8Q_ASSERT(element_size(dtype) == 8);
      return f(std::integral_constant<size_t, 8>{});
  }
}

}  // namespace fp8q
