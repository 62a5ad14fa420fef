// CumSum (since 11) makes running sums along an axis that is an input. `exclusive` leaves the
// element itself out, and `reverse` runs from the end. Sums of floats are kept in double.
#include "interpreter/ops/elementwise.h"

namespace fp8q {

Tensors run_cum_sum(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const auto axes = context.ints(1);
  if (axes.size() != 1) context.reject("has {} axes", axes.size());
  const AxisView view = axis_view(x.shape(), normalized_axis(context, axes[0], x.shape().size()));
  const bool exclusive = context.int_attribute("exclusive", 0) != 0;
  const bool reverse = context.int_attribute("reverse", 0) != 0;
  Tensors out(1);
  visit_wide(context, x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Tensor sums = x.to(dtype_of<T>);
    T* values = sums.template mutable_data<T>().data();
    for (int64_t line = 0; line < view.lines(); ++line) {
      T sum{};
      for (int64_t i = 0; i < view.length; ++i) {
        const int64_t along = reverse ? view.length - 1 - i : i;
        T& value = values[view.start_of_line(line) + along * view.inner];
        const T before = sum;
        sum = wrapping_add(sum, value);
        value = exclusive ? before : sum;
      }
    }
    out[0] = sums.to(types[0].dtype);
  });
  return out;
}

}  // namespace fp8q
