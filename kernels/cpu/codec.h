// Quantisation of rows, in the form that a matrix product takes.
//
// code(x) is the code of the FP32 quotient x / scale, rounded to nearest even and saturated, as
// fp8q::encode defines it; NaN stays NaN (INT8: 0). The kernels here give the value of the code
// (without the scale), never its bits, because the CPU's products are formed on values: as FP32 or
// BF16, both exact for every code, or as int8_t for INT8.
#pragma once

#include <cstddef>
#include <cstdint>

#include "numeric/format.h"

namespace fp8q::cpu {

struct QuantizeRows {
  Format format;
  float scale;
  const float* x;
  size_t x_stride;
  void* out;  // of the type the function's name says; f32: may be x itself
  size_t out_stride;
  size_t rows, columns;
};
void quantize_to_f32(const QuantizeRows& args) noexcept;
void quantize_to_bf16(const QuantizeRows& args) noexcept;  // uint16_t: the bits
void quantize_to_i8(const QuantizeRows& args) noexcept;    // format int8 only

// FP32 rounded to BF16, to nearest even; NaN stays NaN. The second form keeps FP32 storage.
void round_to_bf16(const float* x, size_t n, uint16_t* out) noexcept;
void round_to_bf16_values(const float* x, size_t n, float* out) noexcept;

// Rows of tables: FP16 and FP8 or INT8 codes to FP32.
void f16_to_f32(const uint16_t* x, size_t n, float* out) noexcept;
void codes_to_f32(Format format, const uint8_t* codes, size_t n, float scale, float* out) noexcept;

}  // namespace fp8q::cpu
