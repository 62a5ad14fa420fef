// These are functions of one element. Abs, Neg, Relu and Sign also work on integers. Ceil, Cos,
// Erf, Exp, Floor, Log, Reciprocal, Round (ties to even), Sigmoid, Sin, Softplus, Sqrt and Tanh
// work on floating-point types. They are computed in double and rounded to float once, and
// half-precision results then to their type. IsNaN gives bool. No opset changed a meaning.
#include <algorithm>
#include <array>
#include <string_view>

#include "interpreter/ops/elementwise.h"

namespace fp8q {
namespace {

struct Function {
  std::string_view name;
  double (*value)(double);
};

constexpr std::array kFunctions = {
    Function{"Ceil", [](double x) { return std::ceil(x); }},
    Function{"Cos", [](double x) { return std::cos(x); }},
    Function{"Erf", [](double x) { return std::erf(x); }},
    Function{"Exp", [](double x) { return std::exp(x); }},
    Function{"Floor", [](double x) { return std::floor(x); }},
    Function{"Log", [](double x) { return std::log(x); }},
    Function{"Reciprocal", [](double x) { return 1.0 / x; }},
    // nearbyint() is right because the rounding mode is to nearest even throughout the process.
    Function{"Round", [](double x) { return std::nearbyint(x); }},
    Function{"Sigmoid", [](double x) { return 1.0 / (1.0 + std::exp(-x)); }},
    Function{"Sin", [](double x) { return std::sin(x); }},
    Function{"Softplus",
             [](double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }},
    Function{"Sqrt", [](double x) { return std::sqrt(x); }},
    Function{"Tanh", [](double x) { return std::tanh(x); }},
};

template <typename F>
Tensors run_numeric(const OpContext& context, const Types& types, F&& f) {
  Tensors out(1);
  visit_compute(context, types[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    out[0] = map_elements<T, T>(context.tensor(0).to(dtype_of<T>), f).to(types[0].dtype);
  });
  return out;
}

}  // namespace

Types infer_float(const OpContext& context) {
  require_float(context, context.input(0).dtype);
  return infer_same(context);
}

Tensors run_function(const OpContext& context, const Types& types) {
  const auto* function = std::ranges::find(kFunctions, context.node().op_type, &Function::name);
  FP8Q_ASSERT(function != kFunctions.end());
  const Tensor x = context.tensor(0).to(DType::f64);
  return {map_elements<double, double>(x, function->value).to(types[0].dtype)};
}

Tensors run_abs(const OpContext& context, const Types& types) {
  return run_numeric(context, types, [](auto x) {
    using T = decltype(x);
    if constexpr (std::is_floating_point_v<T>) return std::fabs(x);  // also right for -0 and NaN
    else return x < 0 ? wrapping_subtract(T{0}, x) : x;
  });
}

Tensors run_neg(const OpContext& context, const Types& types) {
  return run_numeric(context, types, [](auto x) {
    using T = decltype(x);
    if constexpr (std::is_floating_point_v<T>) return -x;
    else return wrapping_subtract(T{0}, x);
  });
}

Tensors run_relu(const OpContext& context, const Types& types) {
  return run_numeric(context, types, [](auto x) { return x < 0 ? decltype(x){0} : x; });
}

Tensors run_sign(const OpContext& context, const Types& types) {
  return run_numeric(context, types, [](auto x) {
    using T = decltype(x);
    // 0 and NaN stay as they are.
    return static_cast<T>(x > 0 ? T{1} : x < 0 ? static_cast<T>(-1) : x);
  });
}

Types infer_is_nan(const OpContext& context) {
  return {{DType::boolean, context.input(0).shape, std::nullopt}};
}

Tensors run_is_nan(const OpContext& context, const Types&) {
  const Tensor x = context.tensor(0).to(DType::f64);
  return {map_elements<double, bool>(x, [](double v) { return std::isnan(v); })};
}

}  // namespace fp8q
