// Slice (since 1): starts, ends, axes are attributes before opset 10. They are inputs, with steps,
// from then on. Negative positions count from the end, and positions are clamped to the tensor.
#include <algorithm>

#include "interpreter/ops/layout.h"

namespace fp8q {
namespace {

struct Cut {
  int64_t start = 0;
  int64_t count = 0;
  int64_t step = 1;
};

Cut cut(int64_t start, int64_t end, int64_t step, int64_t length) {
  const auto from_front = [&](int64_t i) { return i < 0 ? i + length : i; };
  if (step > 0) {
    start = std::clamp<int64_t>(from_front(start), 0, length);
    end = std::clamp<int64_t>(from_front(end), 0, length);
    return {start, end > start ? (end - start - 1) / step + 1 : 0, step};
  }
  start = std::clamp<int64_t>(from_front(start), -1, length - 1);
  end = std::clamp<int64_t>(from_front(end), -1, length - 1);
  // -step is avoided, because the smallest int64 has no opposite.
  return {start, start > end ? (end - start + 1) / step + 1 : 0, step};
}

std::vector<Cut> cuts(const OpContext& context) {
  const Shape& shape = context.input(0).shape;
  std::vector<Cut> result;
  for (const int64_t d : shape) result.push_back({0, d, 1});
  const auto starts = context.ints_since(10, "starts", 1);
  const auto ends = context.ints_since(10, "ends", 2);
  const auto axes = context.ints_since(10, "axes", 3);
  const auto steps =
      context.opset() >= 10 && context.has(4) ? std::optional(context.ints(4)) : std::nullopt;
  if (!starts || !ends || starts->size() != ends->size() ||
      (axes && axes->size() != starts->size()) || (steps && steps->size() != starts->size()) ||
      (!axes && starts->size() > shape.size()))
    context.reject("its starts, ends, axes and steps do not fit together");
  if (axes) normalized_axes(context, *axes, shape.size());  // rejects repeated axes
  for (size_t i = 0; i < starts->size(); ++i) {
    const size_t axis = axes ? normalized_axis(context, (*axes)[i], shape.size()) : i;
    const int64_t step = steps ? (*steps)[i] : 1;
    if (step == 0) context.reject("steps by zero");
    result[axis] = cut((*starts)[i], (*ends)[i], step, shape[axis]);
  }
  return result;
}

}  // namespace

Types infer_slice(const OpContext& context) {
  Shape shape;
  for (const Cut& c : cuts(context)) shape.push_back(c.count);
  return {{context.input(0).dtype, shape, std::nullopt}};
}

Tensors run_slice(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const Shape& shape = types[0].shape;
  Tensor out(x.dtype(), shape);
  if (out.size() == 0) return {out};
  const Strides own = strides_of(x.shape());
  Strides strides;
  int64_t base = 0;
  const auto parts = cuts(context);
  for (size_t i = 0; i < own.size(); ++i) {
    base += parts[i].start * own[i];
    // A single element needs no stride, and a huge step must not overflow.
    strides.push_back(parts[i].count > 1 ? parts[i].step * own[i] : 0);
  }
  copy_strided(x, base, shape, strides, out.mutable_bytes());
  return {std::move(out)};
}

}  // namespace fp8q
