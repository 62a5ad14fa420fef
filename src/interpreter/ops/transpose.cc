// Transpose (since 1) reverses the dimensions, or permutes them by `perm`.
#include <algorithm>
#include <numeric>

#include "interpreter/ops/layout.h"

namespace fp8q {
namespace {

std::vector<size_t> permutation(const OpContext& context) {
  const size_t rank = context.input(0).shape.size();
  std::vector<int64_t> reversed(rank);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const auto perm = ints_attribute(context.node(), "perm", reversed);
  if (perm.size() != rank || normalized_axes(context, perm, rank).size() != rank)
    context.reject("perm {} does not fit {} dimensions", to_string(perm), rank);
  std::vector<size_t> result;
  result.reserve(rank);
  for (const int64_t axis : perm) result.push_back(normalized_axis(context, axis, rank));
  return result;
}

}  // namespace

Types infer_transpose(const OpContext& context) {
  const Operand& x = context.input(0);
  Shape shape;
  for (const size_t axis : permutation(context)) shape.push_back(x.shape[axis]);
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_transpose(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const Strides own = strides_of(x.shape());
  Strides strides;
  for (const size_t axis : permutation(context)) strides.push_back(own[axis]);
  Tensor out(types[0].dtype, types[0].shape);
  copy_strided(x, 0, types[0].shape, strides, out.mutable_bytes());
  return {std::move(out)};
}

}  // namespace fp8q
