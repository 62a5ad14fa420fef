// Clip (since 1): bounds are attributes before opset 11 and optional inputs from then on; integers
// are allowed from opset 12. min > max gives max everywhere. NaN stays NaN.
#include <limits>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

// Returns the bound given by input `i` or by attribute `name`, or `none` if neither is given.
template <typename T>
T bound(const OpContext& context, const char* name, size_t i, T none) {
  if (context.opset() < 11)
    return static_cast<T>(context.float_attribute(name, static_cast<float>(none)));
  if (!context.has(i)) return none;
  const Tensor& t = context.tensor(i);
  if (t.size() != 1)
    context.reject("{} has the shape {}, not one element", name, to_string(t.shape()));
  return t.to(dtype_of<T>).template data<T>()[0];
}

}  // namespace

Types infer_clip(const OpContext& context) {
  require_same_types(context);
  return infer_same(context);
}

Tensors run_clip(const OpContext& context, const Types& types) {
  if (context.opset() < 11) require_float(context, types[0].dtype);
  Tensors out(1);
  visit_compute(context, types[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Limits = std::numeric_limits<T>;
    constexpr bool kInfinite = Limits::has_infinity;
    const T low = bound<T>(context, "min", 1, kInfinite ? -Limits::infinity() : Limits::lowest());
    const T high = bound<T>(context, "max", 2, kInfinite ? Limits::infinity() : Limits::max());
    const auto clip = [&](T x) { return minimum(maximum(x, low), high); };
    out[0] = map_elements<T, T>(context.tensor(0).to(dtype_of<T>), clip).to(types[0].dtype);
  });
  return out;
}

}  // namespace fp8q
