// Gelu (since 20) is x * Phi(x); approximate="tanh" uses Hendrycks and Gimpel's formula. The
// operator of the same meaning in domain com.microsoft has no attribute.
#include <numbers>

#include "interpreter/ops/elementwise.h"

namespace fp8q {

Tensors run_gelu(const OpContext& context, const Types& types) {
  const std::string approximate = context.string_attribute("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    context.reject("approximate is \"{}\", not \"none\" or \"tanh\"", printable(approximate));
  const bool exact = approximate == "none";
  constexpr double kSqrt2OverPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  const auto gelu = [&](double x) {
    if (exact) return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
    return 0.5 * x * (1.0 + std::tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x)));
  };
  const Tensor x = context.tensor(0).to(DType::f64);
  return {map_elements<double, double>(x, gelu).to(types[0].dtype)};
}

}  // namespace fp8q
