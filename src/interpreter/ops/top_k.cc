// TopK (since 1): k is an attribute before opset 10 and an input from then on; `largest` and
// `sorted` exist from 11. Of equal elements, the one with the lower index comes first. The result
// is always sorted.
#include <algorithm>
#include <numeric>

#include "interpreter/ops/elementwise.h"

namespace fp8q {

Types infer_top_k(const OpContext& context) {
  Shape shape = context.input(0).shape;
  const size_t axis = normalized_axis(context, context.int_attribute("axis", -1), shape.size());
  const auto given = context.opset() >= 10 ? context.ints(1)
                                           : std::vector<int64_t>{context.int_attribute("k", -1)};
  if (given.size() != 1 || given[0] < 0 || given[0] > shape[axis])
    context.reject("cannot take {} of {} elements", to_string(given), shape[axis]);
  shape[axis] = given[0];
  return {{context.input(0).dtype, shape, std::nullopt}, {DType::i64, shape, std::nullopt}};
}

Tensors run_top_k(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const size_t axis = normalized_axis(context, context.int_attribute("axis", -1), x.shape().size());
  const AxisView view = axis_view(x.shape(), axis);
  const int64_t k = types[0].shape[axis];
  const bool largest = context.int_attribute("largest", 1) != 0;
  Tensors out(2);
  out[1] = Tensor(DType::i64, types[1].shape);
  auto indices = out[1].mutable_data<int64_t>();
  visit_wide(context, x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor wide = x.to(dtype_of<T>);
    Tensor chosen(dtype_of<T>, types[0].shape);
    auto values = chosen.template mutable_data<T>();
    std::vector<int64_t> order(static_cast<size_t>(view.length));
    for (int64_t line = 0; line < view.lines(); ++line) {
      const T* start = wide.template data<T>().data() + view.start_of_line(line);
      std::iota(order.begin(), order.end(), 0);
      std::ranges::stable_sort(order, [&](int64_t i, int64_t j) {
        const T a = start[i * view.inner];
        const T b = start[j * view.inner];
        // NaN is the largest.
        if (a != a || b != b) return largest ? a != a && b == b : a == a && b != b;
        return largest ? a > b : a < b;
      });
      for (int64_t i = 0; i < k; ++i) {
        const int64_t index = order[static_cast<size_t>(i)];
        const auto to =
            static_cast<size_t>((line / view.inner * k + i) * view.inner + line % view.inner);
        values[to] = start[index * view.inner];
        indices[to] = index;
      }
    }
    out[0] = chosen.to(types[0].dtype);
  });
  return out;
}

}  // namespace fp8q
