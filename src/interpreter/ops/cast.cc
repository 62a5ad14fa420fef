// Cast (since 1; attribute `to` is a name before opset 6; `saturate` from 19) and CastLike (since
// 15; `saturate` from 19). Attribute round_mode (24) applies to FLOAT8E8M0 only, which fp8q does
// not support.
//
// Floating-point values are rounded to nearest even once. Floats become integers by truncation:
// int32 and int64 saturate, and NaN becomes 0. Narrower types keep the low bits of the int32, as
// common hardware does (the standard leaves both open). A bool is true for values other than zero.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "interpreter/operator.h"

namespace fp8q {
namespace {

// An element is converted through this type without loss.
template <typename T>
using Compute = std::conditional_t<std::is_arithmetic_v<T>, T, float>;

// Converts a double to a float whose last bit records whether something was cut off (round to odd).
// Rounding this float to a narrower format gives the correctly rounded result.
float sticky_float(double x) {
  const auto nearest = static_cast<float>(x);
  if (std::isnan(x) || std::isinf(x) || static_cast<double>(nearest) == x) return nearest;
  float truncated = nearest;
  if (std::fabs(static_cast<double>(nearest)) > std::fabs(x))
    truncated = std::nextafter(nearest, 0.0f);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(truncated) | 1u);
}

template <typename To>
To float_to_integer(double x) {
  using Wide = std::conditional_t<sizeof(To) == 8, int64_t, int32_t>;
  if (std::isnan(x)) return 0;
  constexpr double kLimit = sizeof(Wide) == 8 ? 0x1p63 : 0x1p31;
  if (x >= kLimit) return static_cast<To>(std::numeric_limits<Wide>::max());
  if (x <= -kLimit) return static_cast<To>(std::numeric_limits<Wide>::min());
  return static_cast<To>(static_cast<Wide>(x));
}

template <typename To>
To narrow(float x, bool saturate) {
  // `saturate` applies to the 8-bit formats. Half-precision types overflow to infinity.
  To result{};
  result.bits =
      static_cast<decltype(result.bits)>(To::Codec::encode(x, saturate && sizeof(To) == 1));
  return result;
}

template <typename From, typename To>
To convert(From from, bool saturate) {
  const auto x = static_cast<Compute<From>>(from);
  using X = Compute<From>;
  if constexpr (std::is_same_v<From, To>) return from;
  else if constexpr (std::is_same_v<To, bool>) return x != X{0};
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<X>)
    return float_to_integer<To>(static_cast<double>(x));
  else if constexpr (std::is_arithmetic_v<To>) return static_cast<To>(x);
  else if constexpr (std::is_same_v<X, float>) return narrow<To>(x, saturate);
  else return narrow<To>(sticky_float(static_cast<double>(x)), saturate);
}

DType target_type(const OpContext& context) {
  const Node& node = context.node();
  if (context.opset() < 6) {
    const std::string wanted = context.string_attribute("to", "");
    constexpr std::pair<const char*, DType> kNames[] = {
        {"FLOAT", DType::f32},   {"UINT8", DType::u8},   {"INT8", DType::i8},
        {"INT32", DType::i32},   {"INT64", DType::i64},  {"BOOL", DType::boolean},
        {"FLOAT16", DType::f16}, {"DOUBLE", DType::f64},
    };
    for (const auto& [known, dtype] : kNames)
      if (wanted == known) return dtype;
    context.refuse("converts to {}, which fp8q does not have", printable(wanted));
  }
  if (!find_attribute(node, "to")) context.reject("has no attribute \"to\"");
  const int64_t code = context.int_attribute("to", 0);
  const auto dtype =
      code < 0 || code > 1000 ? std::nullopt : dtype_of_onnx_code(static_cast<int>(code));
  if (!dtype) context.refuse("converts to element type {}, which fp8q does not have", code);
  return *dtype;
}

}  // namespace

Types infer_cast(const OpContext& context) {
  return {{target_type(context), context.input(0).shape, std::nullopt}};
}

Types infer_cast_like(const OpContext& context) {
  return {{context.input(1).dtype, context.input(0).shape, std::nullopt}};
}

Tensors run_cast(const OpContext& context, const Types& types) {
  const Tensor& x = context.tensor(0);
  if (x.dtype() == types[0].dtype) return {x};
  const bool saturate = context.int_attribute("saturate", 1) != 0;
  Tensor out(types[0].dtype, types[0].shape);
  visit(x.dtype(), [&](auto from_tag) {
    using From = typename decltype(from_tag)::type;
    visit(out.dtype(), [&](auto to_tag) {
      using To = typename decltype(to_tag)::type;
      const auto from = x.data<From>();
      auto to = out.mutable_data<To>();
      for (size_t i = 0; i < from.size(); ++i) to[i] = convert<From, To>(from[i], saturate);
    });
  });
  return {std::move(out)};
}

}  // namespace fp8q
