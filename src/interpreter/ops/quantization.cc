#include "interpreter/ops/quantization.h"

namespace fp8q {

ScaleLayout::ScaleLayout(const OpContext& context, const Shape& x, const Shape& scale,
                         const Shape* zero_point) {
  if (zero_point && *zero_point != scale && !(elements(*zero_point) == 1 && elements(scale) == 1))
    context.reject("the scale has the shape {}, the zero point {}", to_string(scale),
                   to_string(*zero_point));
  const int64_t block = context.int_attribute("block_size", 0);
  if (block < 0) context.reject("block_size is {}", block);
  if (block == 0 && elements(scale) == 1 && scale.size() <= 1) {
    view_ = {1, 1, elements(x)};
    return;
  }
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 1), x.size());
  view_ = axis_view(x, axis);
  if (block == 0) {
    if (scale != Shape{view_.length})
      context.reject("a scale of shape {} does not fit axis {} of {}", to_string(scale), axis,
                     to_string(x));
    length_step_ = 1;
    return;
  }
  Shape expected = x;
  expected[axis] = (x[axis] - 1) / block + 1;
  if (x[axis] == 0 || scale != expected)
    context.reject("a scale of shape {} does not fit blocks of {} along axis {} of {}",
                   to_string(scale), block, axis, to_string(x));
  block_ = block;
  inner_step_ = 1;
  length_step_ = view_.inner;
  outer_step_ = expected[axis] * view_.inner;
}

}  // namespace fp8q
