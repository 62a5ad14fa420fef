// Max, Min, Sum (since 1) take any number of inputs, which are broadcast from opset 8. Integers are
// allowed since opset 8 (12 for Max and Min of all sizes). A NaN in any input gives NaN.
#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

template <typename F>
Tensors run_variadic(const OpContext& context, const Types& types, F&& f) {
  const Shape& shape = types[0].shape;
  Tensors out(1);
  visit_wide(context, types[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    constexpr DType kWide = dtype_of<T>;
    // Starts with the first input, in the shape of the result.
    const Tensor first = context.tensor(0).to(kWide);
    Tensor joined(kWide, shape);
    copy_strided(first, 0, shape, broadcast_strides(first.shape(), shape), joined.mutable_bytes());
    for (size_t i = 1; i < context.input_count(); ++i)
      joined = map_pairs<T, T, T>(shape, joined, context.tensor(i).to(kWide), f);
    out[0] = joined.to(types[0].dtype);
  });
  return out;
}

}  // namespace

Tensors run_max(const OpContext& context, const Types& types) {
  return run_variadic(context, types, [](auto a, auto b) { return maximum(a, b); });
}

Tensors run_min(const OpContext& context, const Types& types) {
  return run_variadic(context, types, [](auto a, auto b) { return minimum(a, b); });
}

Tensors run_sum(const OpContext& context, const Types& types) {
  return run_variadic(context, types, [](auto a, auto b) { return wrapping_add(a, b); });
}

}  // namespace fp8q
