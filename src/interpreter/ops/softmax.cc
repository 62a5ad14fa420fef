// Softmax, LogSoftmax (since 1) work along one axis from opset 13 (default: the last); before, they
// work over all dimensions from `axis` (default 1) on together. The largest element is subtracted
// first. The results are computed in double and rounded once.
#include <limits>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

AxisView softmax_view(const OpContext& context, const Shape& shape) {
  if (context.opset() >= 13)
    return axis_view(shape,
                     normalized_axis(context, context.int_attribute("axis", -1), shape.size()));
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 1), shape.size());
  return {elements_between(shape, 0, axis), elements_between(shape, axis, shape.size()), 1};
}

}  // namespace

Types infer_softmax(const OpContext& context) {
  require_float(context, context.input(0).dtype);
  softmax_view(context, context.input(0).shape);
  return infer_same(context);
}

Tensors run_softmax(const OpContext& context, const Types& types) {
  Tensor out = context.tensor(0).to(DType::f64);
  const AxisView view = softmax_view(context, out.shape());
  const bool logarithm = context.node().op_type == "LogSoftmax";
  double* values = out.mutable_data<double>().data();
  for (int64_t line = 0; line < view.lines(); ++line) {
    double* start = values + view.start_of_line(line);
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < view.length; ++i) largest = maximum(largest, start[i * view.inner]);
    double sum = 0;
    for (int64_t i = 0; i < view.length; ++i) sum += std::exp(start[i * view.inner] - largest);
    for (int64_t i = 0; i < view.length; ++i) {
      double& x = start[i * view.inner];
      x = logarithm ? x - largest - std::log(sum) : std::exp(x - largest) / sum;
    }
  }
  return {out.to(types[0].dtype)};
}

}  // namespace fp8q
