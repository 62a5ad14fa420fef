// Gather (since 1; negative indices from 11) returns the slices of the input along `axis` that the
// indices select. GatherElements (since 11) has one index per output element.
#include <cstring>

#include "interpreter/ops/indices.h"

namespace fp8q {

Types infer_gather(const OpContext& context) {
  const Operand& x = context.input(0);
  const Shape& chosen = context.input(1).shape;
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 0), x.shape.size());
  Shape shape = x.shape;
  shape.erase(shape.begin() + static_cast<ptrdiff_t>(axis));
  shape.insert(shape.begin() + static_cast<ptrdiff_t>(axis), chosen.begin(), chosen.end());
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_gather(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 0), x.shape().size());
  const AxisView view = axis_view(x.shape(), axis);
  const auto indices = context.ints(1);
  const auto bytes = static_cast<size_t>(view.inner) * element_size(x.dtype());
  Tensor out(types[0].dtype, types[0].shape);
  std::byte* to = out.mutable_bytes();
  for (int64_t o = 0; o < view.outer; ++o)
    for (const int64_t index : indices) {
      const int64_t at = checked_index(context, index, view.length);
      std::memcpy(to, x.bytes() + static_cast<size_t>(o * view.length + at) * bytes, bytes);
      to += bytes;
    }
  return {std::move(out)};
}

Types infer_gather_elements(const OpContext& context) {
  const Operand& x = context.input(0);
  const Shape& shape = context.input(1).shape;
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 0), x.shape.size());
  bool fits = shape.size() == x.shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = i == axis || shape[i] <= x.shape[i];
  if (!fits)
    context.reject("indices of shape {} do not fit {}", to_string(shape), to_string(x.shape));
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_gather_elements(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 0), x.shape().size());
  const auto indices = context.ints(1);
  const size_t size = element_size(x.dtype());
  Strides strides = strides_of(x.shape());
  const int64_t along = std::exchange(strides[axis], 0);
  Tensor out(types[0].dtype, types[0].shape);
  std::byte* to = out.mutable_bytes();
  for_each_row<1>(out.shape(), {strides},
                  [&](int64_t position, int64_t count, const auto& offset, const auto& step) {
                    for (int64_t i = 0; i < count; ++i) {
                      const auto p = static_cast<size_t>(position + i);
                      const int64_t at = checked_index(context, indices[p], x.shape()[axis]);
                      const int64_t from = offset[0] + i * step[0] + at * along;
                      std::memcpy(to + p * size, x.bytes() + static_cast<size_t>(from) * size,
                                  size);
                    }
                  });
  return {std::move(out)};
}

}  // namespace fp8q
