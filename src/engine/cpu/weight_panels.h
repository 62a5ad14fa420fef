// Holds the weights of a linear layer, packed for fp8q's own product kernels (kernels/cpu/gemm.h).
#pragma once

#include <optional>
#include <vector>

#include "engine/cpu/buffer.h"
#include "engine/cpu/operand.h"
#include "engine/weights.h"
#include "kernels/cpu/gemm.h"
#include "numeric/format.h"

namespace fp8q::cpu {

// Names the types of a product's two sides. An unquantized side has no format; both may have been
// rounded to BF16.
struct ProductTypes {
  std::optional<Format> x, w;
  bool rounded_to_bf16 = false;
  // If halves() are multiplied as BF16, FP8 codes of w are also stored as BF16 instead of being
  // decoded at every use. That takes twice the memory and gives the same bits.
  bool expand_codes = false;
  bool integers() const { return x && w && info(*x).integer && info(*w).integer; }
  // Returns whether BF16 forms the products exactly (all codes are values of BF16), or was asked to
  // form them.
  bool halves() const { return (x && w && !integers()) || rounded_to_bf16; }
};

class WeightPanels {
 public:
  using Element = OperandForm::Element;

  WeightPanels() = default;
  // `weight` is [in, out], of types.w. The caller applies its scales. What is multiplied depends on
  // the CPU:
  //
  //   integers   AVX512-VNNI: INT8 in fours;  else INT8 as INT16 in pairs
  //   halves     AVX512-BF16: BF16 in pairs;  else FP32
  //   others     FP32
  //
  // FP8 codes are kept as they are. Decoding to FP32 was measured on a Zen 3 core. A product of 96
  // rows is no slower with it (0.99 to 1.08 times as fast as with FP32 panels, which come from
  // farther than the level 1 cache). Where the weights stay in the caches, products of 32 rows are
  // 5 % and of 8 rows 20 % slower; where they do not, products are faster. A BERT-base takes 85 MB
  // instead of 340 MB.
  WeightPanels(const PlainWeight& weight, size_t in, size_t out, const ProductTypes& types);

  // Returns the factor that column scales must contain in addition.
  float sum_scale() const;
  // Describe x as multiply() takes it: rows of elements of this type, filled up with zeros to
  // row_size().
  Element x_element() const;
  size_t row_size() const;

  struct Product {
    const void* x;  // [rows, in]
    size_t x_stride;
    size_t rows, first_column, columns;  // first_column: a multiple of 16
    float* y;                            // points to the first column
    size_t y_stride;
    const float* scale;  // from the first column on, to whole panels; nullptr: none
    const float* bias;   // laid out as `scale`
  };
  void multiply(const Product& args) const;

 private:
  void pack_integers(const PlainWeight& weight, size_t out);
  bool pack_codes(const PlainWeight& weight, size_t out, bool halves);
  void pack_values(const std::vector<float>& values, size_t out, bool halves);
  template <typename A, typename B>
  Gemm<A, B> gemm(const Product& args, const B* packed) const;

  enum class Kind {
    f32,       // FP32 by FP32
    f8,        // FP32 by codes
    bf16,      // BF16 by BF16
    f8_bf16,   // BF16 by codes
    i8_pairs,  // INT16 by codes
    i8_fours,  // codes by codes
  };
  Kind kind_ = Kind::f32;
  std::optional<Format> format_;  // set for f8 and f8_bf16
  size_t in_ = 0;
  size_t depth_ = 0;  // `in` rounded up to whole steps
  Buffer<float> f32_;
  Buffer<uint16_t> bf16_;
  Buffer<uint8_t> f8_;
  Buffer<int8_t> i8_;
  Buffer<int32_t> start_;  // of i8_fours
};

}  // namespace fp8q::cpu
