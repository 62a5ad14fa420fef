// GatherND (since 11; `batch_dims` from 12): the last dimension of the indices holds index tuples.
#include <cstring>

#include "interpreter/ops/indices.h"

namespace fp8q {
namespace {

size_t batch_dims(const OpContext& context) {
  const Shape& shape = context.input(0).shape;
  const Shape& indices = context.input(1).shape;
  const int64_t dims = context.int_attribute("batch_dims", 0);
  bool fits = dims >= 0 && dims < static_cast<int64_t>(indices.size()) &&
              dims <= static_cast<int64_t>(shape.size());
  for (size_t i = 0; fits && i < static_cast<size_t>(dims); ++i) fits = shape[i] == indices[i];
  if (!fits)
    context.reject("batch_dims {} does not fit the shapes {} and {}", dims, to_string(shape),
                   to_string(indices));
  return static_cast<size_t>(dims);
}

}  // namespace

Types infer_gather_nd(const OpContext& context) {
  const Operand& x = context.input(0);
  const Shape& indices = context.input(1).shape;
  const size_t first = indices.empty() ? 0 : batch_dims(context);
  const TupleView view = tuple_view(context, indices, x.shape, first);
  Shape shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), x.shape.begin() + static_cast<ptrdiff_t>(first + view.depth),
               x.shape.end());
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_gather_nd(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const auto indices = context.ints(1);
  const size_t first = batch_dims(context);
  const TupleView view = tuple_view(context, context.input(1).shape, x.shape(), first);
  const int64_t batches = elements_between(x.shape(), 0, first);
  const int64_t batch_size = elements_between(x.shape(), first, x.shape().size());
  const auto size = static_cast<int64_t>(element_size(x.dtype()));
  Tensor out(types[0].dtype, types[0].shape);
  if (out.size() == 0) return {out};
  std::byte* to = out.mutable_bytes();
  const int64_t tuples = out.size() / view.slice;
  for (int64_t t = 0; t < tuples; ++t) {
    const int64_t batch = t / (tuples / batches);
    const int64_t offset =
        tuple_offset(context, indices.data() + static_cast<size_t>(t) * view.depth, view.depth,
                     x.shape(), first);
    std::memcpy(to + t * view.slice * size, x.bytes() + (batch * batch_size + offset) * size,
                static_cast<size_t>(view.slice * size));
  }
  return {std::move(out)};
}

}  // namespace fp8q
