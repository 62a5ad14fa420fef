// Forms attention's products by AMX tiles. See attention.cc for what the class has in common with
// those of attention_panels.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/cpu/activation.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/attention_pack_tiles.h"
#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/tiles.h"

namespace fp8q::cpu {

// Holds operands in tiles: codes of INT8, or BF16.
template <typename T>
class TileProducts {
 public:
  static constexpr size_t kRows = kTileBlockRows;
  static constexpr bool kIntegerScores = std::is_same_v<T, int8_t>;

  explicit TileProducts(const AttendHead& a)
      : a_(a),
        channel_steps_(tile_steps(kType, a.head_size)),
        token_steps_(tile_steps(kType, a.tokens)),
        rows_(whole_rows(a.tokens)),
        stride_(widest(a.tokens, a.head_size)) {
    Scratch memory(a.scratch);
    sums_ = memory.take<float>(rows_ * stride_);
    q_ = memory.take<T>(rows_ * channel_steps_ * kDepth);
    p_ = memory.take<T>(rows_ * token_steps_ * kDepth);
    keys_ = memory.take<T>(tile_packed_size(kType, a.head_size, a.tokens));
    values_ = memory.take<T>(tile_packed_size(kType, a.tokens, a.head_size));
  }
  static size_t scratch(size_t tokens, size_t size) {
    const size_t rows = whole_rows(tokens);
    return rows * widest(tokens, size) +
           Scratch::floats<T>(rows * tile_steps(kType, size) * kDepth) +
           Scratch::floats<T>(rows * tile_steps(kType, tokens) * kDepth) +
           Scratch::floats<T>(tile_packed_size(kType, size, tokens)) +
           Scratch::floats<T>(tile_packed_size(kType, tokens, size));
  }

  float* scores() const { return sums_; }
  size_t stride() const { return stride_; }

  // Zeros fill q and p up to whole steps, where no row reaches.
  void prepare_scores() const {
    std::fill_n(q_, rows_ * channel_steps_ * kDepth, T{});
    pack_keys_in_tiles(bytes(a_.k, 0, a_.tokens), as_bytes(keys_));
  }
  void prepare_values() const {
    std::fill_n(p_, rows_ * token_steps_ * kDepth, T{});
    pack_values_in_tiles(kType, bytes(a_.v, 0, a_.tokens), as_bytes(values_));
  }
  void score(size_t from, size_t rows) const {
    place_rows_in_tiles(bytes(a_.q, from, rows), as_bytes(q_));
    form_sums(q_, keys_, channel_steps_, a_.tokens, rows);
  }
  // softmax() has filled the scores up with zeros to whole vectors.
  const T* quantize(size_t rows, RoundingCount& count) const {
    count += place({.format = *a_.p_format,
                    .scale = a_.p_scale,
                    .x = sums_,
                    .x_stride = stride_,
                    .rows = rows,
                    .columns = score_stride(a_.tokens)});
    return p_;
  }
  // The values of codes have themselves as codes of scale 1.
  const T* given(size_t rows, const float* p) const {
    place({.format = *a_.p_format,
           .scale = 1.0f,
           .x = p,
           .x_stride = score_stride(a_.tokens),
           .rows = rows,
           .columns = a_.tokens});
    return p_;
  }
  void multiply(size_t from, size_t rows, const T* p) const {
    form_sums(p, values_, token_steps_, a_.head_size, rows);
    float scale[kRows];
    std::fill_n(scale, rows, a_.out_scale);
    finish_sums({.sum = sums_,
                 .integer = kIntegerScores,
                 .sum_stride = stride_,
                 .scale = nullptr,
                 .bias = nullptr,
                 .row_scale = scale,
                 .function = Function::none,
                 .out = a_.out + from * a_.out_stride,
                 .out_stride = a_.out_stride,
                 .rows = rows,
                 .columns = a_.head_size});
  }

 private:
  static constexpr TileType kType = kIntegerScores ? TileType::int8 : TileType::bf16;
  static constexpr size_t kDepth = tile_depth(kType);

  // Returns the rows of the tiles that the rows of a block take, at most.
  static size_t whole_rows(size_t tokens) {
    return std::min(kRows, (tokens + kTileRows - 1) / kTileRows * kTileRows);
  }
  // Returns the columns of the wider product, whose sums take the place of the other's.
  static size_t widest(size_t tokens, size_t size) {
    return tile_panels(std::max(tokens, size)) * kTilePanel;
  }
  static std::byte* as_bytes(T* x) { return reinterpret_cast<std::byte*>(x); }
  HeadBytes bytes(const void* x, size_t from, size_t rows) const {
    const size_t stride = a_.qkv_stride * sizeof(T);
    return {static_cast<const std::byte*>(x) + from * stride, stride, rows,
            a_.head_size * sizeof(T)};
  }
  RoundingCount place(QuantizeRows p) const {
    p.out = p_;
    p.out_stride = token_steps_ * kDepth;
    return kIntegerScores ? quantize_to_i8_tiles(p) : quantize_to_bf16_tiles(p);
  }
  void form_sums(const T* a, const T* b, size_t steps, size_t columns, size_t rows) const {
    for (size_t panel = 0; panel < tile_panels(columns); ++panel)
      multiply_tiles(scope_, {.type = kType,
                              .a = a,
                              .rows = rows,
                              .b = b + panel * steps * kDepth * kTilePanel,
                              .steps = steps,
                              .sums = sums_ + panel * kTilePanel,
                              .stride = stride_});
  }

  const AttendHead& a_;
  TileScope scope_;
  size_t channel_steps_, token_steps_, rows_, stride_;
  float* sums_;  // or int32_t
  T *q_, *p_, *keys_, *values_;
};

}  // namespace fp8q::cpu
