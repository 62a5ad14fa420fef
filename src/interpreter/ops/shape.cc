// Shape (since 1; from opset 15 only the dimensions `start` to `end`) and Size (since 1). Both give
// their result without the contents of the input.
#include <algorithm>

#include "interpreter/operator.h"

namespace fp8q {

Types infer_shape(const OpContext& context) {
  const Shape& shape = context.input(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const auto clamped = [&](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  const int64_t start = clamped(context.int_attribute("start", 0));
  const int64_t end = std::max(start, clamped(context.int_attribute("end", rank)));
  const std::vector<int64_t> dims(shape.begin() + start, shape.begin() + end);
  return {{DType::i64, {end - start}, Tensor::of<int64_t>({end - start}, dims)}};
}

Types infer_size(const OpContext& context) {
  return {{DType::i64, {}, Tensor::scalar<int64_t>(elements(context.input(0).shape))}};
}

Tensors run_known(const OpContext&, const Types& types) { return {*types[0].contents}; }

}  // namespace fp8q
