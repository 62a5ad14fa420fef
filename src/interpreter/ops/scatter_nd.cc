// ScatterND (since 11; `reduction` from 16, max and min from 18) copies the input. The slices that
// index tuples select are replaced by updates, or combined with them, in order.
#include "interpreter/ops/elementwise.h"
#include "interpreter/ops/indices.h"

namespace fp8q {
namespace {

template <typename T>
T combine(const OpContext& context, const std::string& reduction, T old, T update) {
  if (reduction == "none") return update;
  if (reduction == "add") return wrapping_add(old, update);
  if (reduction == "mul") return wrapping_multiply(old, update);
  if (reduction == "max") return maximum(old, update);
  if (reduction == "min") return minimum(old, update);
  context.refuse("reduction \"{}\" is not known", printable(reduction));
}

}  // namespace

Types infer_scatter_nd(const OpContext& context) {
  const Operand& x = context.input(0);
  const Shape& indices = context.input(1).shape;
  const Operand& updates = context.input(2);
  const TupleView view = tuple_view(context, indices, x.shape, 0);
  Shape expected(indices.begin(), indices.end() - 1);
  expected.insert(expected.end(), x.shape.begin() + static_cast<ptrdiff_t>(view.depth),
                  x.shape.end());
  if (updates.shape != expected || updates.dtype != x.dtype)
    context.reject("updates are {} of shape {}, expected {} of shape {}", name(updates.dtype),
                   to_string(updates.shape), name(x.dtype), to_string(expected));
  return infer_same(context);
}

Tensors run_scatter_nd(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const Tensor& updates = context.tensor(2);
  if (updates.size() == 0) return {x};
  const auto indices = context.ints(1);
  const TupleView view = tuple_view(context, context.input(1).shape, x.shape(), 0);
  const std::string reduction = context.string_attribute("reduction", "none");
  const auto scatter = [&](auto tag) {
    using T = typename decltype(tag)::type;
    Tensor out = x.to(dtype_of<T>);
    const Tensor from = updates.to(dtype_of<T>);
    T* to = out.template mutable_data<T>().data();
    const T* update = from.template data<T>().data();
    for (int64_t i = 0; i < from.size(); ++i) {
      const auto tuple = static_cast<size_t>(i / view.slice) * view.depth;
      const int64_t at = tuple_offset(context, indices.data() + tuple, view.depth, x.shape(), 0);
      T& target = to[at + i % view.slice];
      target = combine<T>(context, reduction, target, update[i]);
    }
    return out.to(types[0].dtype);
  };
  // The wide types hold all values of every type, so this works for a plain copy too.
  if (wide_type(x.dtype()) == DType::i64) return {scatter(TypeTag<int64_t>{})};
  return {scatter(TypeTag<double>{})};
}

}  // namespace fp8q
