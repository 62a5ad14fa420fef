// Quantizes rows, in the form that a matrix product takes.
//
// code(x) is the code of the FP32 quotient x / scale, rounded to nearest even and saturated, as
// fp8q::encode defines it. NaN stays NaN (INT8: 0). The kernels here give the value of the code
// (without the scale), never its bits, because the CPU's products are formed from values. The
// values are FP32 or BF16, both exact for every code, or integers for INT8.
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
  void* out;  // the function's name says the type; f32: may be x itself
  size_t out_stride;
  size_t rows, columns;
  // If not nullptr, there is one factor for each column, and x times the factors is quantized.
  // Saturation and underflow are those of the products.
  const float* factors = nullptr;
  // Say where the rows and columns begin in an operand that stands in tiles.
  size_t first_row = 0, first_column = 0;
  // If not nullptr, each row has token_scale() of its absmax instead of `scale`. These scales are
  // written here.
  float* row_scales = nullptr;
};

// Counts the quantized values that saturated or underflowed. Saturated values lie beyond the
// largest code by more than half a step (also Inf, but not NaN). Underflowed values rounded to zero
// although they are not zero.
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
// Writes the bits of BF16 in pairs of columns, the second first, and pairs an odd last column with
// a zero; see GemmBf16.
RoundingCount quantize_to_bf16_pairs(const QuantizeRows& args) noexcept;
// These are for formats of integers only:
RoundingCount quantize_to_i8(const QuantizeRows& args) noexcept;
RoundingCount quantize_to_u8(const QuantizeRows& args) noexcept;  // plus 128; see GemmU8
RoundingCount quantize_to_i16(const QuantizeRows& args) noexcept;
// Write an operand in tiles (tiles.h). `out` is where it begins, out_stride is a whole number of
// steps, and first_column a multiple of 16.
RoundingCount quantize_to_i8_tiles(const QuantizeRows& args) noexcept;
RoundingCount quantize_to_bf16_tiles(const QuantizeRows& args) noexcept;
// Quantizes and dequantizes to float: `out` gets the values of the codes times the scale, as
// DequantizeLinear gives them, and may be x itself.
RoundingCount round_to_f32(const QuantizeRows& args) noexcept;

// Returns the largest magnitude of a row, or NaN if one is NaN.
float absmax(const float* x, size_t n) noexcept;

// Round FP32 to BF16, to nearest even; NaN stays NaN. The results are bits, pairs as
// quantize_to_bf16_pairs() writes them, or values in FP32 storage.
void round_to_bf16(const float* x, size_t n, uint16_t* out) noexcept;
void round_to_bf16_pairs(const float* x, size_t n, uint16_t* out) noexcept;
void round_to_bf16_values(const float* x, size_t n, float* out) noexcept;

// Rounds rows to BF16 and writes them as quantize_to_bf16_tiles() does.
void round_to_bf16_tiles(const QuantizeRows& args) noexcept;

// Writes the values of FP8 codes, divided by f8_scale() (gemm.h), as BF16. `format` must have
// has_f8_panels().
void f8_to_bf16(Format format, const uint8_t* codes, size_t n, uint16_t* out) noexcept;

// Convert rows of tables: FP16, and FP8 or INT8 codes, to FP32.
void f16_to_f32(const uint16_t* x, size_t n, float* out) noexcept;
void codes_to_f32(Format format, const uint8_t* codes, size_t n, float scale, float* out) noexcept;

}  // namespace fp8q::cpu
