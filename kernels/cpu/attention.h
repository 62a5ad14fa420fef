// Computes the attention of one head over one sequence: softmax(q k^T * scale) v, with no padding
// and no mask.
//
// Both products are formed in one of four ways. Quantized operands are the values of their codes
// (the caller provides those of q, k, v; those of p are made here), and their scales are pulled out
// of the sums. Sums of INT8 codes are exact up to 1024 tokens or channels (1024 * 128^2 = 2^24).
// Beyond that, and for FP8, each step of the sum is rounded to FP32.
//
//   f32         gemm_f32
//   bf16_dots   gemm_bf16, which gives the bits of gemm_f32
//   int8_tiles  AMX tiles (tiles.h) with exact INT32 sums, which give the bits of gemm_f32 up to
//               1024 tokens and channels
//   bf16_tiles  AMX tiles, whose sums of K products are those of K / 32 steps of two chains. They
//               differ from the exact ones by at most (18 + K / 32) * 2^-24 * sum(|a b|) instead of
//               K * 2^-24 * sum(|a b|).
//
// So the results of a sequence depend on nothing but the form.
#pragma once

#include <cstddef>
#include <optional>

#include "kernels/cpu/codec.h"
#include "numeric/format.h"

namespace fp8q::cpu {

// Sums of the products of so many INT8 codes are exact in FP32.
inline constexpr size_t kMostExactCodes = 1024;

enum class AttentionForm { f32, bf16_dots, int8_tiles, bf16_tiles };

struct AttendHead {
  AttentionForm form;  // all operands must be quantized if it is not f32, and be INT8 if int8_tiles
  // [tokens, head_size], rows qkv_stride apart; k and v likewise. They hold floats if the form is
  // f32 or bf16_dots, codes of INT8 if it is int8_tiles, and uint16_t, the bits of BF16, if it is
  // bf16_tiles.
  const void* q;
  const void* k;
  const void* v;
  size_t qkv_stride;
  size_t tokens, head_size;
  float qk_scale;                  // multiplies q k^T: the operands' scales
  float score_scale;               // multiplies the rounded product: the attention's scale
  std::optional<Format> p_format;  // format to quantize the probabilities to; nullopt: none
  float p_scale;
  float out_scale;  // multiplies p v: the operands' scales
  float* out;       // [tokens, head_size]
  size_t out_stride;
  float* scratch;  // attend_scratch() floats, aligned to 64 bytes
};

size_t attend_scratch(AttentionForm form, size_t tokens, size_t head_size) noexcept;
// Returns what quantizing the probabilities did.
RoundingCount attend_head(const AttendHead& args) noexcept;

// These do the work of attend_head() in steps, for callers that need what is between them.
// attend_scores() makes scores = q k^T * qk_scale, [tokens, tokens] in rows `score_stride(tokens)`
// apart. softmax() of them with score_scale follows. attend_values() makes out = p v * out_scale,
// with p in the same layout: the values of codes if the caller has quantized it. The results are
// those of attend_head().
size_t score_stride(size_t tokens) noexcept;
void attend_scores(const AttendHead& args, float* scores) noexcept;
void attend_values(const AttendHead& args, const float* probabilities) noexcept;

}  // namespace fp8q::cpu
