// These operators only change the shape: Reshape (since 1; the shape is an attribute before opset
// 5; `allowzero` from 14), Flatten (since 1; negative axes from 11), Squeeze and Unsqueeze (since
// 1; axes are an attribute before opset 13). The result shares the payload of the input.
#include <algorithm>

#include "interpreter/ops/layout.h"

namespace fp8q {

Tensors run_reshape(const OpContext& context, const Types& types) {
  return {context.tensor(0).reshaped(types[0].shape)};
}

Types infer_reshape(const OpContext& context) {
  const Operand& x = context.input(0);
  const auto wanted = context.ints_since(5, "shape", 1);
  if (!wanted) context.reject("has no shape");
  const bool zero_is_zero = context.int_attribute("allowzero", 0) != 0;
  Shape shape = *wanted;
  std::optional<size_t> open;  // the dimension given as -1
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zero_is_zero) {
      if (i >= x.shape.size())
        context.reject("copies dimension {} of an input with {}", i, x.shape.size());
      shape[i] = x.shape[i];
    } else if (shape[i] == -1) {
      if (open) context.reject("leaves more than one dimension open in {}", to_string(*wanted));
      open = i;
      shape[i] = 1;
    }
  }
  const auto known = checked_elements(shape);
  const int64_t size = elements(x.shape);
  if (open && known && *known != 0) shape[*open] = size / static_cast<int64_t>(*known);
  if (checked_elements(shape) != static_cast<uint64_t>(size))
    context.reject("cannot turn the shape {} into {}", to_string(x.shape), to_string(*wanted));
  return {{x.dtype, shape, std::nullopt}};
}

Types infer_flatten(const OpContext& context) {
  const Operand& x = context.input(0);
  const int64_t axis = context.int_attribute("axis", 1);
  const size_t rank = x.shape.size();
  // The axis may also be after the last dimension.
  const size_t at =
      axis == static_cast<int64_t>(rank) ? rank : normalized_axis(context, axis, rank);
  return {{x.dtype,
           {elements_between(x.shape, 0, at), elements_between(x.shape, at, rank)},
           std::nullopt}};
}

Types infer_squeeze(const OpContext& context) {
  const Operand& x = context.input(0);
  const auto axes = context.ints_since(13, "axes", 1);
  Shape shape;
  if (!axes) {
    std::ranges::copy_if(x.shape, std::back_inserter(shape), [](int64_t d) { return d != 1; });
    return {{x.dtype, shape, std::nullopt}};
  }
  const auto removed = normalized_axes(context, *axes, x.shape.size());
  for (size_t i = 0; i < x.shape.size(); ++i) {
    if (!std::ranges::binary_search(removed, i)) shape.push_back(x.shape[i]);
    else if (x.shape[i] != 1)
      context.reject("removes dimension {} of {}, which is not 1", i, to_string(x.shape));
  }
  return {{x.dtype, shape, std::nullopt}};
}

Types infer_unsqueeze(const OpContext& context) {
  const Operand& x = context.input(0);
  const auto axes = context.ints_since(13, "axes", 1);
  if (!axes) context.reject("has no axes");
  const size_t rank = x.shape.size() + axes->size();
  const auto added = normalized_axes(context, *axes, rank);
  Shape shape;
  auto next = x.shape.begin();
  for (size_t i = 0; i < rank; ++i)
    shape.push_back(std::ranges::binary_search(added, i) ? 1 : *next++);
  return {{x.dtype, shape, std::nullopt}};
}

}  // namespace fp8q
