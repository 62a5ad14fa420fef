// Forms attention's products by gemm_f32 or gemm_bf16. See attention.cc for what the classes have
// in common with those of attention_tiles.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/attention.h"
#include "kernels/cpu/attention_pack.h"
#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/gemm.h"

namespace fp8q::cpu {

// Contains what both forms of panels (gemm.h) share.
class PanelProducts {
 public:
  // So many rows of q are handled at a time that their scores stay in the level 2 cache for long
  // sequences.
  static constexpr size_t kRows = 48;
  static constexpr bool kIntegerScores = false;

  float* scores() const { return scores_; }
  size_t stride() const { return score_stride(a_.tokens); }

 protected:
  explicit PanelProducts(const AttendHead& a)
      : a_(a),
        memory_(a.scratch),
        scores_(memory_.take<float>(score_floats(a.tokens))),
        out_scale_(memory_.take<float>(panels(a.head_size) * kPanel)) {
    std::fill_n(out_scale_, panels(a.head_size) * kPanel, a.out_scale);
  }
  static size_t scratch(size_t tokens, size_t size) {
    return score_floats(tokens) + panels(size) * kPanel;
  }
  static size_t score_floats(size_t tokens) {
    return std::min(tokens, kRows) * score_stride(tokens);
  }

  HeadRows rows_of(const void* x) const {
    return {static_cast<const float*>(x), a_.qkv_stride, a_.tokens, a_.head_size};
  }
  template <typename T>
  Gemm<T, T> score_product(const T* q, size_t q_stride, const T* keys, size_t depth,
                           size_t rows) const {
    return {.a = q,
            .lda = q_stride,
            .b = keys,
            .panel_stride = depth * kPanel,
            .c = scores_,
            .ldc = stride(),
            .scale = nullptr,
            .bias = nullptr,
            .m = rows,
            .n = stride(),
            .k = a_.head_size};
  }
  // Describes the rows of out = p v that begin at row `from`.
  template <typename T>
  Gemm<T, T> value_product(const T* p, const T* values, size_t depth, size_t from,
                           size_t rows) const {
    return {.a = p,
            .lda = stride(),
            .b = values,
            .panel_stride = depth * kPanel,
            .c = a_.out + from * a_.out_stride,
            .ldc = a_.out_stride,
            .scale = a_.out_scale == 1.0f ? nullptr : out_scale_,
            .bias = nullptr,
            .m = rows,
            .n = a_.head_size,
            .k = a_.tokens};
  }

  const AttendHead& a_;
  Scratch memory_;

 private:
  float *scores_, *out_scale_;
};

class FloatProducts : public PanelProducts {
 public:
  explicit FloatProducts(const AttendHead& a)
      : PanelProducts(a),
        keys_(memory_.take<float>(packed_size(a.head_size, a.tokens))),
        values_(memory_.take<float>(packed_size(a.tokens, a.head_size))),
        p_(memory_.take<float>(score_floats(a.tokens))) {}
  static size_t scratch(size_t tokens, size_t size) {
    return PanelProducts::scratch(tokens, size) + packed_size(size, tokens) +
           packed_size(tokens, size) + score_floats(tokens);
  }

  void prepare_scores() const { pack_keys(rows_of(a_.k), keys_); }
  void prepare_values() const { pack_values(rows_of(a_.v), values_); }
  void score(size_t from, size_t rows) const {
    const float* q = static_cast<const float*>(a_.q) + from * a_.qkv_stride;
    gemm_f32(score_product(q, a_.qkv_stride, static_cast<const float*>(keys_), a_.head_size, rows));
  }
  const float* quantize(size_t rows, RoundingCount& count) const {
    if (!a_.p_format) return scores();
    count += quantize_to_f32(
        {*a_.p_format, a_.p_scale, scores(), stride(), p_, stride(), rows, a_.tokens});
    return p_;
  }
  const float* given(size_t, const float* p) const { return p; }
  void multiply(size_t from, size_t rows, const float* p) const {
    gemm_f32(value_product(p, static_cast<const float*>(values_), a_.tokens, from, rows));
  }

 private:
  float *keys_, *values_, *p_;
};

// Holds all operands as pairs of BF16.
class Bf16Products : public PanelProducts {
 public:
  explicit Bf16Products(const AttendHead& a)
      : PanelProducts(a),
        rows_(memory_.take<uint16_t>(a.tokens * paired(a.head_size))),
        keys_(memory_.take<uint16_t>(packed_size(paired(a.head_size), a.tokens))),
        values_(memory_.take<uint16_t>(packed_size(paired(a.tokens), a.head_size))),
        p_(memory_.take<uint16_t>(score_floats(a.tokens))) {}
  static size_t scratch(size_t tokens, size_t size) {
    return PanelProducts::scratch(tokens, size) + Scratch::floats<uint16_t>(tokens * paired(size)) +
           Scratch::floats<uint16_t>(packed_size(paired(size), tokens)) +
           Scratch::floats<uint16_t>(packed_size(paired(tokens), size)) +
           Scratch::floats<uint16_t>(score_floats(tokens));
  }

  void prepare_scores() const {
    pair_rows(rows_of(a_.k), rows_);
    pack_key_pairs(rows_, a_.tokens, a_.head_size, keys_);
    pair_rows(rows_of(a_.q), rows_);
  }
  void prepare_values() const { pack_value_pairs(rows_of(a_.v), values_); }
  void score(size_t from, size_t rows) const {
    const size_t depth = paired(a_.head_size);
    const uint16_t* q = rows_ + from * depth;
    gemm_bf16(score_product(q, depth, static_cast<const uint16_t*>(keys_), depth, rows));
  }
  const uint16_t* quantize(size_t rows, RoundingCount& count) const {
    count += quantize_to_bf16_pairs(
        {*a_.p_format, a_.p_scale, scores(), stride(), p_, stride(), rows, a_.tokens});
    return p_;
  }
  // The values of codes have themselves as codes of scale 1.
  const uint16_t* given(size_t rows, const float* p) const {
    quantize_to_bf16_pairs({*a_.p_format, 1.0f, p, stride(), p_, stride(), rows, a_.tokens});
    return p_;
  }
  void multiply(size_t from, size_t rows, const uint16_t* p) const {
    const auto* values = static_cast<const uint16_t*>(values_);
    gemm_bf16(value_product(p, values, paired(a_.tokens), from, rows));
  }

 private:
  uint16_t *rows_, *keys_, *values_, *p_;
};

}  // namespace fp8q::cpu
