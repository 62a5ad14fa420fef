// Pad (since 2) has the modes constant, reflect, edge, wrap (19). Negative pads remove elements.
// Pads and value are attributes before opset 11 and inputs from then on; `axes` is an input from
// opset 18.
#include <algorithm>
#include <cstring>

#include "interpreter/ops/layout.h"

namespace fp8q {
namespace {

struct Pads {
  std::vector<int64_t> before;
  std::vector<int64_t> after;
};

Pads pads_of(const OpContext& context) {
  const size_t rank = context.input(0).shape.size();
  const auto given = context.ints_since(11, "pads", 1);
  if (!given) context.reject("has no pads");
  std::vector<int64_t> axes(rank);
  for (size_t i = 0; i < rank; ++i) axes[i] = static_cast<int64_t>(i);
  if (context.opset() >= 18 && context.has(3)) axes = context.ints(3);
  normalized_axes(context, axes, rank);  // rejects repeated axes
  if (given->size() != 2 * axes.size())
    context.reject("has {} pads for {} axes", given->size(), axes.size());
  Pads pads{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = normalized_axis(context, axes[i], rank);
    pads.before[axis] = (*given)[i];
    pads.after[axis] = (*given)[i + axes.size()];
  }
  return pads;
}

// Returns the position that is read for position `i`, both counted from the first element of an
// axis. Returns -1 for the constant.
int64_t source(const std::string& mode, int64_t i, int64_t length) {
  if (i >= 0 && i < length) return i;
  if (mode == "edge") return std::clamp<int64_t>(i, 0, length - 1);
  if (mode == "wrap") return ((i % length) + length) % length;
  if (mode == "reflect") {
    if (length == 1) return 0;
    const int64_t period = 2 * (length - 1);
    const int64_t at = ((i % period) + period) % period;
    return at < length ? at : period - at;
  }
  return -1;
}

Tensor fill_value(const OpContext& context, DType dtype) {
  if (context.opset() < 11) return Tensor::scalar(context.float_attribute("value", 0.0f)).to(dtype);
  if (!context.has(2)) return Tensor(dtype, {});
  const Tensor& value = context.tensor(2);
  if (value.dtype() != dtype || value.size() != 1)
    context.reject("its value is not one element of type {}", name(dtype));
  return value;
}

}  // namespace

Types infer_pad(const OpContext& context) {
  const Operand& x = context.input(0);
  const std::string mode = context.string_attribute("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "wrap" && mode != "reflect")
    context.refuse("mode \"{}\" is not known", printable(mode));
  const Pads pads = pads_of(context);
  Shape shape = x.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool empty = shape[i] == 0;
    if (__builtin_add_overflow(shape[i], pads.before[i], &shape[i]) ||
        __builtin_add_overflow(shape[i], pads.after[i], &shape[i]) || shape[i] < 0 ||
        (empty && shape[i] > 0 && mode != "constant"))
      context.reject("cannot pad {}", to_string(x.shape));
  }
  return {{x.dtype, shape, std::nullopt}};
}

Tensors run_pad(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  const std::string mode = context.string_attribute("mode", "constant");
  const Pads pads = pads_of(context);
  const Tensor fill = fill_value(context, x.dtype());
  const Strides own = strides_of(x.shape());
  const auto size = static_cast<int64_t>(element_size(x.dtype()));
  Tensor out(types[0].dtype, types[0].shape);
  std::byte* to = out.mutable_bytes();
  Shape index(types[0].shape.size(), 0);
  for (int64_t i = 0; i < out.size(); ++i) {
    int64_t offset = 0;
    bool inside = true;
    for (size_t d = 0; d < index.size(); ++d) {
      const int64_t at = source(mode, index[d] - pads.before[d], x.shape()[d]);
      inside = inside && at >= 0;
      offset += at * own[d];
    }
    std::memcpy(to + i * size, inside ? x.bytes() + offset * size : fill.bytes(),
                static_cast<size_t>(size));
    for (size_t d = index.size(); d-- > 0;) {
      if (++index[d] < types[0].shape[d]) break;
      index[d] = 0;
    }
  }
  return {std::move(out)};
}

}  // namespace fp8q
