// Attention of one head over one sequence: softmax(q k^T * scale) v, no padding, no mask.
//
// Both products are formed by gemm_f32, or gemm_bf16, which gives the same bits: the results of a
// sequence depend on nothing else. Quantized operands come as the values of their codes (q, k, v by
// the caller, p here); their scales are pulled out of the sums. Sums of INT8 codes are exact up to
// 1024 tokens or channels (1024 * 128^2 = 2^24); beyond, and for FP8, each step of the sum is
// rounded to FP32.
#pragma once

#include <cstddef>
#include <optional>

#include "kernels/cpu/codec.h"
#include "numeric/format.h"

namespace fp8q::cpu {

struct AttendHead {
  const float* q;  // [tokens, head_size], rows qkv_stride apart; k and v likewise
  const float* k;
  const float* v;
  size_t qkv_stride;
  size_t tokens, head_size;
  float qk_scale;                  // on q k^T: the operands' scales
  float score_scale;               // on that product, rounded to FP32: the attention's scale
  std::optional<Format> p_format;  // quantize the probabilities?
  float p_scale;
  bool bf16;        // form the products of BF16; all operands must be quantized
  float out_scale;  // on p v: the operands' scales
  float* out;       // [tokens, head_size]
  size_t out_stride;
  float* scratch;  // attend_scratch(tokens, head_size) floats, aligned to 64 bytes
};

size_t attend_scratch(size_t tokens, size_t head_size) noexcept;
// Returns what quantizing the probabilities did.
RoundingCount attend_head(const AttendHead& args) noexcept;

// The same in steps, for those who need what is between them: scores = q k^T * qk_scale, [tokens,
// tokens] in rows `score_stride(tokens)` apart; softmax() of them with score_scale; and out = p v *
// out_scale, p in the same layout, quantized by the caller. The results are those of attend_head().
size_t score_stride(size_t tokens) noexcept;
void attend_scores(const AttendHead& args, float* scores) noexcept;
void attend_values(const AttendHead& args, const float* probabilities) noexcept;

// Row by row p = softmax(x * scale), in place, over `columns` values. Rows may be read and are
// written with zeros up to the next multiple of 16.
struct Softmax {
  float* x;
  size_t stride;
  size_t rows, columns;
  float scale;
};
void softmax(const Softmax& args) noexcept;

}  // namespace fp8q::cpu
