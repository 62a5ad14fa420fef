// What the GPU kernels exchange: sums left by a matrix product, and operands the next one reads.
//
// Device memory, dense rows of packed tokens. Rows are multiples of 16 elements and every pointer
// is aligned to 16 bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "numeric/format.h"

struct CUstream_st;

namespace fp8q::cuda {

using Stream = CUstream_st*;  // cudaStream_t

// The plain sums of a product of codes, as the product left them. BF16 keeps 8 significant bits of
// any magnitude, so the scales, which are pulled out of the sums, need not be multiplied in before.
enum class SumType { bf16, f32, i32 };

constexpr int64_t element_size(SumType type) { return type == SumType::bf16 ? 2 : 4; }

// y[token][column] = sum[token][column] * scale[column] + bias[column], an FP32 fma. nullptr: no
// scale, no bias.
struct Sums {
  const void* data = nullptr;
  SumType type = SumType::bf16;
  const float* scale = nullptr;
  const float* bias = nullptr;

  // The same without the columns before `first`; rows stay as far apart.
  Sums columns_from(int64_t first) const {
    return {static_cast<const char*>(data) + first * element_size(type), type,
            scale ? scale + first : nullptr, bias ? bias + first : nullptr};
  }
};

// The element type of a matrix product's operands.
enum class OperandType { bf16, e4m3, e5m2, int8 };
constexpr int64_t element_size(OperandType type) { return type == OperandType::bf16 ? 2 : 1; }

// How a value x becomes an element of an operand.
//   no format           x rounded to BF16
//   format, own type    the code of x / scale (FP32 quotient, to nearest even, saturated)
//   format, type bf16   the value of that code, without the scale: exact, for products of formats
//                       that the device or cuBLASLt lacks
struct Rounding {
  std::optional<Format> format;
  float scale = 1;
  OperandType type = OperandType::bf16;
  float inverse = 0;  // 1 / scale, rounded; filled in by what launches a kernel
};
inline Rounding with_inverse(Rounding rounding) {
  rounding.inverse = 1.0f / rounding.scale;
  return rounding;
}

struct Operand {
  void* data = nullptr;  // nullptr: nobody needs it
  Rounding rounding;
};

enum class Function { none, gelu_erf, gelu_tanh, relu, tanh };

}  // namespace fp8q::cuda
