// Computes the attention of one head over one sequence: softmax(q k^T * scale) v, with no padding
// and no mask.
//
// Both products are formed by gemm_f32, or by gemm_bf16, which gives the same bits. So the results
// of a sequence depend on nothing else. Quantized operands are the values of their codes (the
// caller provides those of q, k, v; those of p are made here), and their scales are pulled out of
// the sums. Sums of INT8 codes are exact up to 1024 tokens or channels (1024 * 128^2 = 2^24).
// Beyond that, and for FP8, each step of the sum is rounded to FP32.
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
  float qk_scale;                  // multiplies q k^T: the operands' scales
  float score_scale;               // multiplies the rounded product: the attention's scale
  std::optional<Format> p_format;  // format to quantize the probabilities to; nullopt: none
  float p_scale;
  bool bf16;        // form the products from BF16; all operands must be quantized
  float out_scale;  // multiplies p v: the operands' scales
  float* out;       // [tokens, head_size]
  size_t out_stride;
  float* scratch;  // attend_scratch(tokens, head_size) floats, aligned to 64 bytes
};

size_t attend_scratch(size_t tokens, size_t head_size) noexcept;
// Returns what quantizing the probabilities did.
RoundingCount attend_head(const AttendHead& args) noexcept;

// These do the work of attend_head() in steps, for callers that need what is between them.
// attend_scores() makes scores = q k^T * qk_scale, [tokens, tokens] in rows `score_stride(tokens)`
// apart. softmax() of them with score_scale follows. attend_values() makes out = p v * out_scale,
// with p in the same layout, quantized by the caller. The results are those of attend_head().
size_t score_stride(size_t tokens) noexcept;
void attend_scores(const AttendHead& args, float* scores) noexcept;
void attend_values(const AttendHead& args, const float* probabilities) noexcept;

// Computes p = softmax(x * scale) row by row, in place, over `columns` values. Rows may be read up
// to the next multiple of 16, and are filled up to it with zeros.
struct Softmax {
  float* x;
  size_t stride;
  size_t rows, columns;
  float scale;
};
void softmax(const Softmax& args) noexcept;

}  // namespace fp8q::cpu
