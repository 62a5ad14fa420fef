// Pow (since 1). Opset 7 introduced NumPy's broadcasting; before, there were the attributes
// `broadcast` and `axis`. The result has the type of the base; from opset 12 the exponent may have
// another type. Powers are computed in double; integers to a non-negative integer power are exact.
#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

template <typename A, typename B>
A power(A base, B exponent) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    if (exponent >= 0) {
      uint64_t result = 1;
      auto square = static_cast<uint64_t>(base);
      for (auto e = static_cast<uint64_t>(exponent); e > 0; e >>= 1, square *= square)
        if (e & 1) result *= square;
      return static_cast<A>(result);
    }
  }
  const double value = std::pow(static_cast<double>(base), static_cast<double>(exponent));
  if constexpr (std::is_integral_v<A>) {
    // The conversion would be undefined for values outside the range and for NaN.
    return std::fabs(value) < 0x1p63 ? static_cast<A>(value) : A{0};
  } else {
    return value;
  }
}

}  // namespace

Types infer_pow(const OpContext& context) {
  return {{context.input(0).dtype, broadcast_all(context), std::nullopt}};
}

Tensors run_pow(const OpContext& context, const Types& types) {
  const Tensor& base = context.tensor(0);
  const Tensor exponent = context.tensor(1).reshaped(aligned_second_shape(context));
  Tensors out(1);
  visit_wide(context, base.dtype(), [&](auto base_tag) {
    visit_wide(context, exponent.dtype(), [&](auto exponent_tag) {
      using A = typename decltype(base_tag)::type;
      using B = typename decltype(exponent_tag)::type;
      out[0] = map_pairs<A, B, A>(types[0].shape, base.to(dtype_of<A>), exponent.to(dtype_of<B>),
                                  power<A, B>)
                   .to(types[0].dtype);
    });
  });
  return out;
}

}  // namespace fp8q
