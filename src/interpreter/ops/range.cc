// Range (since 11; half-precision types from 27) gives start, start + delta, ... below limit (above
// it for a negative delta).
#include <cmath>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

// Returns one of the three scalars exactly, as the widest type of its kind.
template <typename Wide>
Wide scalar(const OpContext& context, size_t i) {
  const Tensor& t = context.tensor(i);
  if (t.size() != 1)
    context.reject("input {} has the shape {}, not one element", i, to_string(t.shape()));
  return t.to(dtype_of<Wide>).template data<Wide>()[0];
}

int64_t count(const OpContext& context, int64_t start, int64_t limit, int64_t delta) {
  if (delta == 0) context.reject("steps by zero");
  const bool up = delta > 0;
  if (up ? start >= limit : start <= limit) return 0;
  // The distance is unsigned because the distance of two int64 may not fit an int64.
  const uint64_t distance = up ? static_cast<uint64_t>(limit) - static_cast<uint64_t>(start)
                               : static_cast<uint64_t>(start) - static_cast<uint64_t>(limit);
  const uint64_t step =
      up ? static_cast<uint64_t>(delta) : uint64_t{0} - static_cast<uint64_t>(delta);
  return static_cast<int64_t>((distance - 1) / step + 1);
}

int64_t count(const OpContext& context, double start, double limit, double delta) {
  const double n = std::ceil((limit - start) / delta);
  if (!std::isfinite(n)) context.reject("goes from {} to {} by {}", start, limit, delta);
  // An absurd count is reported as a shape that is too large.
  return n <= 0 ? 0 : n >= 0x1p62 ? int64_t{1} << 62 : static_cast<int64_t>(n);
}

}  // namespace

Types infer_range(const OpContext& context) {
  require_same_types(context);
  const DType dtype = context.input(0).dtype;
  int64_t n = 0;
  visit_wide(context, dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    n = count(context, scalar<T>(context, 0), scalar<T>(context, 1), scalar<T>(context, 2));
  });
  return {{dtype, {n}, std::nullopt}};
}

Tensors run_range(const OpContext& context, const Types& types) {
  Tensors out(1);
  visit_wide(context, types[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T start = scalar<T>(context, 0);
    const T delta = scalar<T>(context, 2);
    Tensor values(dtype_of<T>, types[0].shape);
    auto to = values.template mutable_data<T>();
    for (size_t i = 0; i < to.size(); ++i)
      to[i] = wrapping_add(start, wrapping_multiply(static_cast<T>(i), delta));
    out[0] = values.to(types[0].dtype);
  });
  return out;
}

}  // namespace fp8q
