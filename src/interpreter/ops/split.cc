// Split (since 1): the lengths are an attribute before opset 13 (opset 1 also takes them as an
// input), and an optional input from then on. Without lengths the parts are equal. From opset 18
// there are `num_outputs` parts, of which the last may be shorter.
#include <cstring>
#include <numeric>

#include "interpreter/ops/layout.h"

namespace fp8q {
namespace {

size_t axis_of(const OpContext& context) {
  return normalized_axis(context, context.int_attribute("axis", 0), context.input(0).shape.size());
}

std::vector<int64_t> lengths(const OpContext& context, int64_t total) {
  const bool as_input = context.opset() < 2 && context.has(1);
  if (const auto given =
          as_input ? std::optional(context.ints(1)) : context.ints_since(13, "split", 1)) {
    if (given->size() != context.output_count())
      context.reject("has {} outputs and {} lengths", context.output_count(), given->size());
    int64_t sum = 0;
    for (const int64_t n : *given)
      if (n < 0 || __builtin_add_overflow(sum, n, &sum))
        context.reject("splits into {}", to_string(*given));
    if (sum != total) context.reject("splits {} elements into {}", total, to_string(*given));
    return *given;
  }
  const auto outputs = static_cast<int64_t>(context.output_count());
  const int64_t parts = context.int_attribute("num_outputs", outputs);
  if (parts != outputs || parts < 1)
    context.reject("has {} outputs, but num_outputs is {}", outputs, parts);
  if (context.opset() < 18 && total % parts != 0)
    context.reject("splits {} elements into {} equal parts", total, parts);
  const int64_t length = (total + parts - 1) / parts;
  std::vector<int64_t> result(static_cast<size_t>(parts), length);
  result.back() = total - length * (parts - 1);
  if (result.back() < 0) context.reject("splits {} elements into {} parts", total, parts);
  return result;
}

}  // namespace

Types infer_split(const OpContext& context) {
  const Operand& x = context.input(0);
  const size_t axis = axis_of(context);
  Types types;
  for (const int64_t length : lengths(context, x.shape[axis])) {
    Shape shape = x.shape;
    shape[axis] = length;
    types.push_back({x.dtype, shape, std::nullopt});
  }
  return types;
}

Tensors run_split(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const size_t axis = axis_of(context);
  const Strides strides = strides_of(x.shape());
  Tensors out;
  int64_t start = 0;
  for (const AbstractValue& type : types) {
    Tensor part(type.dtype, type.shape);
    copy_strided(x, start * strides[axis], type.shape, strides, part.mutable_bytes());
    start += type.shape[axis];
    out.push_back(std::move(part));
  }
  return out;
}

}  // namespace fp8q
