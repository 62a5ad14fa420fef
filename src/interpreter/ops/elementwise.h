// Implements operators that work element by element, with NumPy's broadcasting.
//
// Elements of every type are computed in one of three types. Half-precision values are computed in
// float and rounded once. Integers are computed in int64 and keep the low bits, so that they wrap
// around as in NumPy.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "interpreter/ops/layout.h"

namespace fp8q {

// Returns the type that holds the values of `dtype` exactly: double or int64.
DType wide_type(DType dtype);

// Throws an Error (unsupported) for FP8 and bool, which have no arithmetic.
void require_numeric(const OpContext& context, DType dtype);

// Calls f(TypeTag<T>) with the type T in which elements of type `dtype` are computed: float, double
// or int64.
template <typename F>
void visit_compute(const OpContext& context, DType dtype, F&& f) {
  require_numeric(context, dtype);
  if (wide_type(dtype) == DType::i64) f(TypeTag<int64_t>{});
  else if (dtype == DType::f64) f(TypeTag<double>{});
  else f(TypeTag<float>{});
}

// Does the same for operators that form sums: T is double or int64.
template <typename F>
void visit_wide(const OpContext& context, DType dtype, F&& f) {
  require_numeric(context, dtype);
  if (wide_type(dtype) == DType::i64) f(TypeTag<int64_t>{});
  else f(TypeTag<double>{});
}

// Throws an Error (unsupported) unless `dtype` is float, double or a half-precision type.
void require_float(const OpContext& context, DType dtype);

// Sums and products of integers wrap around; signed overflow would be undefined.
template <typename T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else return a + b;
}
template <typename T>
T wrapping_subtract(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  else return a - b;
}
template <typename T>
T wrapping_multiply(T a, T b) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  else return a * b;
}

// Return the larger (smaller) value. A NaN stays a NaN, as in NumPy's maximum.
template <typename T>
T maximum(T a, T b) {
  return a != a || a > b ? a : b;
}
template <typename T>
T minimum(T a, T b) {
  return a != a || a < b ? a : b;
}

// Computes out[i] = f(a[i], b[i]), broadcast to `shape`.
template <typename A, typename B, typename R, typename F>
Tensor map_pairs(const Shape& shape, const Tensor& a, const Tensor& b, F&& f) {
  Tensor out(dtype_of<R>, shape);
  const A* from_a = a.data<A>().data();
  const B* from_b = b.data<B>().data();
  R* to = out.mutable_data<R>().data();
  for_each_row<2>(shape, {broadcast_strides(a.shape(), shape), broadcast_strides(b.shape(), shape)},
                  [&](int64_t position, int64_t count, const auto& offsets, const auto& steps) {
                    for (int64_t i = 0; i < count; ++i)
                      to[position + i] =
                          f(from_a[offsets[0] + i * steps[0]], from_b[offsets[1] + i * steps[1]]);
                  });
  return out;
}

template <typename T, typename R, typename F>
Tensor map_elements(const Tensor& x, F&& f) {
  Tensor out(dtype_of<R>, x.shape());
  const auto from = x.data<T>();
  auto to = out.mutable_data<R>();
  for (size_t i = 0; i < from.size(); ++i) to[i] = f(from[i]);
  return out;
}

// Returns the type and shape of input 0.
Types infer_same(const OpContext& context);
// Returns the broadcast shape of all inputs, which must have the same type.
Types infer_broadcast(const OpContext& context);
Shape broadcast_all(const OpContext& context);
void require_same_types(const OpContext& context);

// Returns input 1's shape in a form that broadcasts by today's rules. It is for operators that had
// only limited broadcasting before opset 7 (attributes `broadcast` and `axis`).
Shape aligned_second_shape(const OpContext& context);

}  // namespace fp8q
