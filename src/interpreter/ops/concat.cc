// Concat (since 1): `axis` is required from opset 4; before, it is 1 by default.
#include <cstring>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

size_t axis_of(const OpContext& context) {
  if (context.opset() >= 4 && !find_attribute(context.node(), "axis"))
    context.reject("has no attribute \"axis\"");
  return normalized_axis(context, context.int_attribute("axis", 1), context.input(0).shape.size());
}

}  // namespace

Types infer_concat(const OpContext& context) {
  require_same_types(context);
  const size_t axis = axis_of(context);
  Shape shape = context.input(0).shape;
  for (size_t i = 1; i < context.input_count(); ++i) {
    Shape other = context.input(i).shape;
    if (other.size() != shape.size())
      context.reject("joins {} and {}", to_string(shape), to_string(other));
    const int64_t length = std::exchange(other[axis], shape[axis]);
    if (other != shape)
      context.reject("input {} does not fit {} beside axis {}", i, to_string(shape), axis);
    shape[axis] += length;
  }
  return {{context.input(0).dtype, shape, std::nullopt}};
}

Tensors run_concat(const OpContext& context, const Types& types) {
  const size_t axis = axis_of(context);
  Tensor out(types[0].dtype, types[0].shape);
  const auto size = static_cast<int64_t>(element_size(out.dtype()));
  const AxisView whole = axis_view(out.shape(), axis);
  std::byte* to = out.mutable_bytes();
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Tensor& part = context.tensor(i);
    const int64_t bytes = axis_view(part.shape(), axis).length * whole.inner * size;
    for (int64_t o = 0; o < whole.outer && bytes > 0; ++o)
      std::memcpy(to + o * whole.length * whole.inner * size, part.bytes() + o * bytes,
                  static_cast<size_t>(bytes));
    to += bytes;
  }
  return {std::move(out)};
}

}  // namespace fp8q
