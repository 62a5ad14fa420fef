// ConstantOfShape (since 9) makes a tensor of the shape given by input 0, filled with the one
// element of `value` (float 0 by default).
#include "interpreter/ops/layout.h"

namespace fp8q {
namespace {

Tensor fill_value(const OpContext& context) {
  const Attribute* attribute = find_attribute(context.node(), "value");
  if (!attribute) return Tensor::of<float>({1}, {0.0f});
  const Tensor* value = std::get_if<Tensor>(attribute);
  if (!value || value->size() != 1)
    context.reject("attribute \"value\" is not a tensor of one element");
  return *value;
}

}  // namespace

Types infer_constant_of_shape(const OpContext& context) {
  return {{fill_value(context).dtype(), context.ints(0), std::nullopt}};
}

Tensors run_constant_of_shape(const OpContext& context, const Types& types) {
  const Shape& shape = types[0].shape;
  Tensor out(types[0].dtype, shape);
  copy_strided(fill_value(context), 0, shape, Strides(shape.size(), 0), out.mutable_bytes());
  return {std::move(out)};
}

}  // namespace fp8q
