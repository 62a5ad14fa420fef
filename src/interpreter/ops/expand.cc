// Expand (since 8) repeats the input by NumPy's broadcasting with the shape in input 1. Tile (since
// 6; opset 1 had another signature) repeats each dimension as often as input 1 says.
#include "interpreter/ops/layout.h"

namespace fp8q {

Types infer_expand(const OpContext& context) {
  const Operand& x = context.input(0);
  const Shape wanted = context.ints(1);
  for (const int64_t d : wanted)
    if (d < 0) context.reject("the shape {} has a negative dimension", to_string(wanted));
  const auto shape = broadcast(x.shape, wanted);
  if (!shape) context.reject("cannot expand {} to {}", to_string(x.shape), to_string(wanted));
  return {{x.dtype, *shape, std::nullopt}};
}

Tensors run_expand(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const Shape& shape = types[0].shape;
  Tensor out(x.dtype(), shape);
  copy_strided(x, 0, shape, broadcast_strides(x.shape(), shape), out.mutable_bytes());
  return {std::move(out)};
}

Types infer_tile(const OpContext& context) {
  const Operand& x = context.input(0);
  const auto repeats = context.ints(1);
  if (repeats.size() != x.shape.size())
    context.reject("has {} repeats for {} dimensions", repeats.size(), x.shape.size());
  Shape shape = x.shape;
  for (size_t i = 0; i < shape.size(); ++i)
    if (repeats[i] < 0 || __builtin_mul_overflow(shape[i], repeats[i], &shape[i]))
      context.reject("repeats {} are not possible", to_string(repeats));
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_tile(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const auto repeats = context.ints(1);
  const Strides own = strides_of(x.shape());
  // Each dimension is split in two: the repetitions, which have stride zero, and the elements.
  Shape shape;
  Strides strides;
  for (size_t i = 0; i < own.size(); ++i) {
    shape.insert(shape.end(), {repeats[i], x.shape()[i]});
    strides.insert(strides.end(), {0, own[i]});
  }
  Tensor out(x.dtype(), types[0].shape);
  if (out.size() == 0) return {out};
  copy_strided(x, 0, shape, strides, out.mutable_bytes());
  return {std::move(out)};
}

}  // namespace fp8q
