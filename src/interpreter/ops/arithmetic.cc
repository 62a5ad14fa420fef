// Add, Sub, Mul, Div (since 1), Mod (since 10). Opset 7 introduced NumPy's broadcasting; before,
// there were the attributes `broadcast` and `axis`. Integer Div truncates. Mod takes the sign of
// the divisor, or of the dividend with fmod=1.
#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

template <typename F>
Tensors run_pairs(const OpContext& context, const Types& types, F&& f) {
  const Tensor& a = context.tensor(0);
  const Tensor b = context.tensor(1).reshaped(aligned_second_shape(context));
  Tensors out(1);
  visit_compute(context, a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    out[0] = map_pairs<T, T, T>(types[0].shape, a.to(dtype_of<T>), b.to(dtype_of<T>), f)
                 .to(types[0].dtype);
  });
  return out;
}

void require_divisor(const OpContext& context, int64_t divisor) {
  if (divisor == 0)
    fail(ErrorCode::bad_data, "{}: integer division by zero", describe(context.node()));
}

template <typename T>
T modulo(T a, T b, bool sign_of_dividend) {
  T rest{};
  if constexpr (!std::is_integral_v<T>) rest = std::fmod(a, b);
  else if (b != -1) rest = a % b;  // the smallest value % -1 traps; the rest is zero
  const bool move = !sign_of_dividend && rest != 0 && ((rest < 0) != (b < 0));
  return move ? rest + b : rest;
}

}  // namespace

Tensors run_add(const OpContext& context, const Types& types) {
  return run_pairs(context, types, [](auto a, auto b) { return wrapping_add(a, b); });
}

Tensors run_sub(const OpContext& context, const Types& types) {
  return run_pairs(context, types, [](auto a, auto b) { return wrapping_subtract(a, b); });
}

Tensors run_mul(const OpContext& context, const Types& types) {
  return run_pairs(context, types, [](auto a, auto b) { return wrapping_multiply(a, b); });
}

Tensors run_div(const OpContext& context, const Types& types) {
  return run_pairs(context, types, [&](auto a, auto b) {
    using T = decltype(a);
    if constexpr (std::is_integral_v<T>) {
      require_divisor(context, b);
      if (b == -1) return wrapping_subtract(T{0}, a);  // the smallest value / -1 traps
    }
    return a / b;
  });
}

Tensors run_mod(const OpContext& context, const Types& types) {
  const bool fmod = context.int_attribute("fmod", 0) != 0;
  return run_pairs(context, types, [&](auto a, auto b) {
    if constexpr (std::is_integral_v<decltype(a)>) require_divisor(context, b);
    return modulo(a, b, fmod);
  });
}

}  // namespace fp8q
