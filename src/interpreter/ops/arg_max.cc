// ArgMax, ArgMin (since 1; select_last_index from 12) return the index of the largest (smallest)
// element along an axis. Of equal elements they take the first one unless select_last_index is set.
#include "interpreter/ops/elementwise.h"

namespace fp8q {

Types infer_arg_max(const OpContext& context) {
  const Shape& in = context.input(0).shape;
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 0), in.size());
  if (in[axis] == 0) context.reject("searches along an axis without elements");
  Shape shape = in;
  shape[axis] = 1;
  if (context.int_attribute("keepdims", 1) == 0)
    shape.erase(shape.begin() + static_cast<ptrdiff_t>(axis));
  return {{DType::i64, shape, std::nullopt}};
}

Tensors run_arg_max(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const AxisView view = axis_view(
      x.shape(), normalized_axis(context, context.int_attribute("axis", 0), x.shape().size()));
  const bool last = context.int_attribute("select_last_index", 0) != 0;
  const bool largest = context.node().op_type == "ArgMax";
  Tensor out(DType::i64, types[0].shape);
  auto to = out.mutable_data<int64_t>();
  visit_wide(context, x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor wide = x.to(dtype_of<T>);
    const T* from = wide.template data<T>().data();
    for (size_t line = 0; line < to.size(); ++line) {
      const T* start = from + view.start_of_line(static_cast<int64_t>(line));
      int64_t best = 0;
      for (int64_t i = 1; i < view.length; ++i) {
        const T x_i = start[i * view.inner];
        const T x_best = start[best * view.inner];
        const bool better = largest ? x_i > x_best : x_i < x_best;
        if (better || (last && x_i == x_best)) best = i;
      }
      to[line] = best;
    }
  });
  return {std::move(out)};
}

}  // namespace fp8q
