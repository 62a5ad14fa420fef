// Is the base of products whose operand stands in rows and whose weights stand in panels of 16
// columns, as the kernels of kernels/cpu/gemm.h take them.
#pragma once

#include <vector>

#include "engine/cpu/buffer.h"
#include "engine/cpu/product.h"
#include "kernels/cpu/gemm.h"

namespace fp8q::cpu::products {

class PackedProduct : public Product {
 public:
  Blocks blocks() const final;
  void multiply(const Block& block) const final;

 protected:
  // Takes scales and biases out of `parts`. The kernel's sums are those of the values divided by
  // `sum_scale`.
  PackedProduct(OperandForm form, ProductParts& parts, float sum_scale = 1.0f);

  // Describes the sums of a block, scaled and with the bias added.
  struct Sums {
    const void* x;
    size_t x_stride;
    size_t rows;
    Range columns;
    float* y;
    size_t y_stride;
    const float* scale;  // from the first column on, to whole panels; nullptr: none
    const float* bias;   // laid out as `scale`
  };
  virtual void form_sums(const Sums& sums) const = 0;

  // Describes the product to a kernel. Panels hold `depth` rows of k.
  template <typename A, typename B>
  Gemm<A, B> gemm(const Sums& s, const B* packed, size_t depth) const {
    return {.a = static_cast<const A*>(s.x),
            .lda = s.x_stride,
            .b = packed + s.columns.from * depth,
            .panel_stride = depth * kPanel,
            .c = s.y,
            .ldc = s.y_stride,
            .scale = s.scale,
            .bias = s.bias,
            .m = s.rows,
            .n = s.columns.size(),
            .k = form().in()};
  }

 private:
  std::vector<float> scale_, bias_;  // by column, to whole panels; scale_ is empty if all are 1
};

}  // namespace fp8q::cpu::products
