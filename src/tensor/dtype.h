// Defines the element types. The enumerators have the values of ONNX's TensorProto.DataType.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "numeric/format.h"
#include "numeric/types.h"

namespace fp8q {

enum class DType : int {
#define FP8Q_DTYPE(id, code, type, ...) id = code,
#include "tensor/dtype.def"
#undef FP8Q_DTYPE
};

template <typename T>
struct TypeTag {
  using type = T;
};

template <typename T>
inline constexpr DType dtype_of = [] {
  static_assert(sizeof(T) == 0, "not an element type");
  return DType{};
}();
#define FP8Q_DTYPE(id, code, type, ...) \
  template <>                           \
  inline constexpr DType dtype_of<type> = DType::id;
#include "tensor/dtype.def"
#undef FP8Q_DTYPE

std::optional<DType> dtype_of_onnx_code(int code);
// Returns the name that ONNX prints, in lowercase: "float", "int64", "float8e4m3fn".
std::string_view name(DType dtype);
size_t element_size(DType dtype);
// Returns whether the elements are floating-point numbers of 16 bits.
inline bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }

// Returns the format whose codes are elements of this type, or nullopt if they are not codes.
std::optional<Format> format_of(DType dtype);
// Returns the type of the elements that hold codes of this format, one byte each.
DType dtype_of_format(Format format);

// Calls f(TypeTag<T>{}), where T is the C++ type of `dtype`.
template <typename F>
decltype(auto) visit(DType dtype, F&& f) {
  switch (dtype) {
#define FP8Q_DTYPE(id, code, type, ...) \
  case DType::id:                       \
    return std::forward<F>(f)(TypeTag<type>{});
#include "tensor/dtype.def"
#undef FP8Q_DTYPE
  }
  FP8Q_ASSERT(!"DType out of range");
}

}  // namespace fp8q
