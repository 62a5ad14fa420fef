#include "interpreter/ops/elementwise.h"

namespace fp8q {

DType wide_type(DType dtype) {
  switch (dtype) {
    case DType::u8:
    case DType::i8:
    case DType::i32:
    case DType::i64:
    case DType::boolean:
      return DType::i64;
    default:
      return DType::f64;
  }
}

void require_numeric(const OpContext& context, DType dtype) {
  const auto format = format_of(dtype);
  if (dtype == DType::boolean || (format && !info(*format).integer))
    context.refuse("there is no arithmetic on {}", name(dtype));
}

void require_float(const OpContext& context, DType dtype) {
  require_numeric(context, dtype);
  if (wide_type(dtype) != DType::f64)
    context.refuse("expects a floating-point type, not {}", name(dtype));
}

Types infer_same(const OpContext& context) {
  const Operand& x = context.input(0);
  return {{x.dtype, x.shape, std::nullopt}};
}

void require_same_types(const OpContext& context) {
  const DType first = context.input(0).dtype;
  for (size_t i = 1; i < context.input_count(); ++i)
    if (context.has(i) && context.input(i).dtype != first)
      context.reject("input 0 is {}, input {} is {}; they must have one type", name(first), i,
                     name(context.input(i).dtype));
}

Shape broadcast_all(const OpContext& context) {
  Shape shape = context.input(0).shape;
  for (size_t i = 1; i < context.input_count(); ++i) {
    const Shape& other = i == 1 ? aligned_second_shape(context) : context.input(i).shape;
    const auto joined = broadcast(shape, other);
    if (!joined)
      context.reject("the shapes {} and {} do not fit together", to_string(shape),
                     to_string(other));
    shape = *joined;
  }
  return shape;
}

Types infer_broadcast(const OpContext& context) {
  require_same_types(context);
  return {{context.input(0).dtype, broadcast_all(context), std::nullopt}};
}

Shape aligned_second_shape(const OpContext& context) {
  const Shape& a = context.input(0).shape;
  Shape b = context.input(1).shape;
  if (context.opset() >= 7 || !find_attribute(context.node(), "axis")) return b;
  // `axis` tells where the dimensions of b start in a; b is repeated along the dimensions after
  // them.
  const size_t axis = normalized_axis(context, context.int_attribute("axis", 0), a.size());
  if (axis + b.size() > a.size())
    context.reject("the shape {} does not fit into {} at axis {}", to_string(b), to_string(a),
                   axis);
  b.resize(a.size() - axis, 1);
  return b;
}

}  // namespace fp8q
