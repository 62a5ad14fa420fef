// The weights of a linear layer, packed for fp8q's own product kernels (kernels/cpu/gemm.h).
#pragma once

#include <optional>
#include <vector>

#include "engine/cpu/buffer.h"
#include "kernels/cpu/gemm.h"
#include "numeric/format.h"

namespace fp8q {

class WeightPanels {
 public:
  enum class Kind {
    f32,  // values
    f8,   // codes, decoded while they are multiplied
    i8,   // codes
  };

  WeightPanels() = default;
  // values: [in, out], row-major; exact in `format` where that is given. integer_x: the layer's
  // input is INT8 codes.
  //
  // FP8 codes are kept as they are: measured on a Zen 3 core, decoding makes a product of 96 rows
  // no slower (0.99 to 1.08 times as fast, its panels coming from farther than the level 1 cache),
  // of 32 rows 5 % and of 8 rows 20 % slower where the weights stay in the caches, and faster where
  // they do not; and a BERT-base takes 85 MB, not 340.
  WeightPanels(const std::vector<float>& values, size_t in, size_t out,
               std::optional<Format> format, bool integer_x);

  Kind kind() const { return kind_; }
  // What column scales must contain in addition.
  float sum_scale() const;
  // x as multiply() takes it: FP32, or for i8 int16_t and filled up to `row_size` with zeros.
  size_t row_size() const;

  struct Product {
    const void* x;  // [rows, in]
    size_t x_stride;
    size_t rows, first_column, columns;  // first_column: a multiple of 16
    float* y;                            // of the first column
    size_t y_stride;
    const float* scale;  // of the first column, to whole panels; nullptr: none
    const float* bias;   // as scale
  };
  void multiply(const Product& args) const;

 private:
  template <typename A, typename B>
  cpu::Gemm<A, B> gemm(const Product& args, const B* packed) const;

  Kind kind_ = Kind::f32;
  Format format_ = Format::e4m3;  // of f8
  size_t in_ = 0;
  Buffer<float> f32_;
  Buffer<uint8_t> f8_;
  Buffer<int8_t> i8_;
};

}  // namespace fp8q
