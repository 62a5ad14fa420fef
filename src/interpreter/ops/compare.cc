// Equal, Less, Greater (since 1), LessOrEqual, GreaterOrEqual (since 12) give bool results; And,
// Or, Xor, Not (since 1) work on bool. Opset 7 introduced NumPy's broadcasting; before, there were
// the attributes `broadcast` and `axis`.
#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

template <typename T, typename F>
Tensor compare(const OpContext& context, const Shape& shape, F&& f) {
  const Tensor b = context.tensor(1).reshaped(aligned_second_shape(context));
  return map_pairs<T, T, bool>(shape, context.tensor(0).to(dtype_of<T>), b.to(dtype_of<T>), f);
}

// Elements of every type are compared in the wide type that holds their values.
template <typename F>
Tensors run_compare(const OpContext& context, const Types& types, F&& f) {
  if (wide_type(context.input(0).dtype) == DType::i64)
    return {compare<int64_t>(context, types[0].shape, f)};
  return {compare<double>(context, types[0].shape, f)};
}

template <typename F>
Tensors run_logic(const OpContext& context, const Types& types, F&& f) {
  return {compare<bool>(context, types[0].shape, f)};
}

}  // namespace

Types infer_compare(const OpContext& context) {
  require_same_types(context);
  return {{DType::boolean, broadcast_all(context), std::nullopt}};
}

Tensors run_equal(const OpContext& context, const Types& types) {
  return run_compare(context, types, [](auto a, auto b) { return a == b; });
}
Tensors run_less(const OpContext& context, const Types& types) {
  return run_compare(context, types, [](auto a, auto b) { return a < b; });
}
Tensors run_less_or_equal(const OpContext& context, const Types& types) {
  return run_compare(context, types, [](auto a, auto b) { return a <= b; });
}
Tensors run_greater(const OpContext& context, const Types& types) {
  return run_compare(context, types, [](auto a, auto b) { return a > b; });
}
Tensors run_greater_or_equal(const OpContext& context, const Types& types) {
  return run_compare(context, types, [](auto a, auto b) { return a >= b; });
}

namespace {

void require_bool(const OpContext& context) {
  if (context.input(0).dtype != DType::boolean)
    context.reject("expects bool, not {}", name(context.input(0).dtype));
}

}  // namespace

Types infer_logic(const OpContext& context) {
  require_bool(context);
  return infer_compare(context);
}

Types infer_not(const OpContext& context) {
  require_bool(context);
  return infer_same(context);
}

Tensors run_and(const OpContext& context, const Types& types) {
  return run_logic(context, types, [](bool a, bool b) { return a && b; });
}
Tensors run_or(const OpContext& context, const Types& types) {
  return run_logic(context, types, [](bool a, bool b) { return a || b; });
}
Tensors run_xor(const OpContext& context, const Types& types) {
  return run_logic(context, types, [](bool a, bool b) { return a != b; });
}
Tensors run_not(const OpContext& context, const Types&) {
  return {map_elements<bool, bool>(context.tensor(0), [](bool a) { return !a; })};
}

}  // namespace fp8q
