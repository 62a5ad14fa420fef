#include "interpreter/ops/indices.h"

namespace fp8q {

int64_t checked_index(const OpContext& context, int64_t index, int64_t length) {
  if (index < -length || index >= length)
    fail(ErrorCode::bad_data, "{}: index {} is outside a dimension of {}", describe(context.node()),
         index, length);
  return index < 0 ? index + length : index;
}

TupleView tuple_view(const OpContext& context, const Shape& indices, const Shape& shape,
                     size_t first) {
  if (indices.empty()) context.reject("its indices are a scalar");
  const int64_t depth = indices.back();
  if (depth < 0 || first + static_cast<size_t>(depth) > shape.size())
    context.reject("tuples of {} indices do not fit the shape {}", depth, to_string(shape));
  const auto end = first + static_cast<size_t>(depth);
  return {static_cast<size_t>(depth), elements_between(shape, end, shape.size())};
}

int64_t tuple_offset(const OpContext& context, const int64_t* tuple, size_t depth,
                     const Shape& shape, size_t first) {
  int64_t offset = 0;
  for (size_t i = 0; i < depth; ++i)
    offset = offset * shape[first + i] + checked_index(context, tuple[i], shape[first + i]);
  return offset * elements_between(shape, first + depth, shape.size());
}

}  // namespace fp8q
