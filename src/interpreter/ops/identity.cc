// Identity (since 1), and Dropout (since 1) as in inference. Dropout returns its input, and its
// optional second output is a mask of ones (bool from opset 10, the type of the input before). From
// opset 12 an input can ask for training, which is refused.
#include <algorithm>

#include "interpreter/ops/elementwise.h"

namespace fp8q {

Tensors run_identity(const OpContext& context, const Types&) { return {context.tensor(0)}; }

Types infer_dropout(const OpContext& context) {
  const Operand& x = context.input(0);
  if (context.has(2)) {
    const Tensor& training = context.tensor(2);
    if (training.dtype() != DType::boolean || training.size() != 1)
      context.reject("its third input is not one bool");
    if (training.data<bool>()[0]) context.refuse("is in training mode; export it for inference");
  }
  if (context.output_count() < 2) return infer_same(context);
  return {{x.dtype, x.shape, std::nullopt},
          {context.opset() >= 10 ? DType::boolean : x.dtype, x.shape, std::nullopt}};
}

Tensors run_dropout(const OpContext& context, const Types& types) {
  Tensors out = {context.tensor(0)};
  if (types.size() > 1) {
    Tensor ones(DType::boolean, types[1].shape);
    std::ranges::fill(ones.mutable_data<bool>(), true);
    out.push_back(ones.to(types[1].dtype));
  }
  return out;
}

}  // namespace fp8q
