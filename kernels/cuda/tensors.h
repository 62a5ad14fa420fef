// Defines what the GPU kernels exchange: sums that a matrix product leaves, and operands that the
// next one reads.
//
// All data is in device memory, in dense rows of packed tokens. Rows are multiples of 16 elements
// and every pointer is aligned to 16 bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "numeric/format.h"

struct CUstream_st;

namespace fp8q::cuda {

using Stream = CUstream_st*;  // cudaStream_t

// Names the type of the plain sums of a product of codes, as the product left them. BF16 keeps 8
// significant bits of any magnitude, so the scales, which are pulled out of the sums, need not be
// multiplied in before.
enum class SumType { bf16, f32, i32 };

constexpr int64_t element_size(SumType type) { return type == SumType::bf16 ? 2 : 4; }

// Stands for y[token][column] = sum[token][column] * row_scale[token] * scale[column] +
// bias[column] in FP32, as a product and an fma. A pointer that is nullptr means no scale or no
// bias.
struct Sums {
  const void* data = nullptr;
  SumType type = SumType::bf16;
  const float* scale = nullptr;
  const float* bias = nullptr;
  const float* row_scale = nullptr;

  // Returns the same sums without the columns before `first`; rows stay as far apart.
  Sums columns_from(int64_t first) const {
    return {static_cast<const char*>(data) + first * element_size(type), type,
            scale ? scale + first : nullptr, bias ? bias + first : nullptr, row_scale};
  }
};

// Names the element type of a matrix product's operands: BF16, or codes of a format that tensor
// cores multiply.
enum class OperandType {
#define FP8Q_OPERAND_TYPE(id, ...) id,
#include "kernels/cuda/operand_types.def"
#undef FP8Q_OPERAND_TYPE
};
inline constexpr OperandType kOperandTypes[] = {
#define FP8Q_OPERAND_TYPE(id, ...) OperandType::id,
#include "kernels/cuda/operand_types.def"
#undef FP8Q_OPERAND_TYPE
};
constexpr int64_t element_size(OperandType type) { return type == OperandType::bf16 ? 2 : 1; }

// Returns the format of an operand's codes, or nullopt for BF16.
constexpr std::optional<Format> format_of(OperandType type) {
  switch (type) {
#define FP8Q_OPERAND_TYPE(id, format, ...) \
  case OperandType::id:                    \
    return format;
#include "kernels/cuda/operand_types.def"
#undef FP8Q_OPERAND_TYPE
  }
  return std::nullopt;
}
// Returns nullopt if tensor cores do not multiply codes of the format; BF16 can hold their values.
constexpr std::optional<OperandType> operand_type(Format format) {
  for (const OperandType type : kOperandTypes)
    if (format_of(type) == format) return type;
  return std::nullopt;
}
inline bool is_integer(OperandType type) {
  const auto format = format_of(type);
  return format && info(*format).integer;
}
inline bool is_fp8(OperandType type) { return format_of(type) && !is_integer(type); }

// Says how a value x becomes an element of an operand.
//   no format           x rounded to BF16
//   format, own type    the code of x / scale (FP32 quotient, to nearest even, saturated)
//   format, type bf16   the exact value of that code, without the scale, for products of formats
//                       that the device or cuBLASLt lacks
// With factors, x stands for the FP32 product of x and its column's factor.
struct Rounding {
  std::optional<Format> format;
  float scale = 1;
  OperandType type = OperandType::bf16;
  bool per_token = false;          // each row has token_scale() of its absmax, not `scale`
  const float* factors = nullptr;  // [columns], device memory; nullptr: none
  // The code that launches a kernel fills these in:
  float inverse = 0;  // 1 / scale, rounded
  float largest = 0;  // largest value of the format
};
inline Rounding prepared(Rounding rounding) {
  rounding.inverse = 1.0f / rounding.scale;
  if (rounding.format) rounding.largest = info(*rounding.format).largest;
  return rounding;
}

struct Operand {
  void* data = nullptr;  // nullptr: the operand is not needed
  Rounding rounding;
  float* row_scales = nullptr;  // [tokens], if per_token: the scales, written with the elements
};

// Tells whether the kernels were compiled for the current device. A build has code for the GPUs
// that FP8Q_CUDA_ARCHITECTURES names.
bool has_device_code() noexcept;

enum class Function { none, gelu_erf, gelu_tanh, relu, tanh };

}  // namespace fp8q::cuda
