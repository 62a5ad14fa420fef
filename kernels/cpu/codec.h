// Quantization of rows, in the form that a matrix product takes.
//
// code(x) is the code of the FP32 quotient x / scale, rounded to nearest even and saturated, as
// fp8q::encode defines it; NaN stays NaN (INT8: 0). The kernels here give the value of the code
// (without the scale), never its bits, because the CPU's products are formed on values: as FP32 or
// BF16, both exact for every code, or as integers for INT8.
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
  // Not nullptr: of the columns; what is quantized is x times these. Saturation and underflow are
  // those of the products.
  const float* factors = nullptr;
  // Not nullptr: instead of `scale` each row has token_scale() of its absmax, which is written
  // here.
  float* row_scales = nullptr;
};

// Of the values quantized: how many saturated, that is, lie beyond the largest code by more than
// half a step (Inf, too; not NaN), and how many became zero without being it.
struct RoundingCount {
  uint64_t saturated = 0, underflowed = 0;
  RoundingCount& operator+=(const RoundingCount& other) {
    saturated += other.saturated;
    underflowed += other.underflowed;
    return *this;
  }
};
RoundingCount quantize_to_f32(const QuantizeRows& args) noexcept;
RoundingCount quantize_to_bf16(const QuantizeRows& args) noexcept;  // uint16_t: the bits
// The same, of each two columns the second first, an odd last one with a zero; see GemmBf16.
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& args) noexcept;
// Format int8 only:
RoundingCount quantize_to_i8(const QuantizeRows& args) noexcept;
RoundingCount quantize_to_u8(const QuantizeRows& args) noexcept;  // plus 128; see GemmU8
RoundingCount quantize_to_i16(const QuantizeRows& args) noexcept;
// Quantized and dequantized: the values of the codes times the scale, as DequantizeLinear gives
// them. float; may be x itself.
RoundingCount round_to_f32(const QuantizeRows& args) noexcept;

// The largest magnitude of a row; NaN where one is NaN.
float absmax(const float* x, size_t n) noexcept;

// FP32 rounded to BF16, to nearest even; NaN stays NaN. In pairs as quantize_to_bf16_pairs(), and
// in FP32 storage.
void round_to_bf16(const float* x, size_t n, uint16_t* out) noexcept;
void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) noexcept;
void round_to_bf16_values(const float* x, size_t n, float* out) noexcept;

// Rows of tables: FP16 and FP8 or INT8 codes to FP32.
void f16_to_f32(const uint16_t* x, size_t n, float* out) noexcept;
void codes_to_f32(Format format, const uint8_t* codes, size_t n, float scale, float* out) noexcept;

}  // namespace fp8q::cpu
