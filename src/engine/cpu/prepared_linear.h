// Holds a linear layer ready to run: its weights are packed by the Product that serves its formats
// on this CPU.
//
// With x = s * xc and w = t[n] * wc (xc and wc are codes' values, or the values themselves with s =
// t = 1), every Product computes y[n] = f(sum(xc wc) * (s t[n]) + bias[n]). If tokens have scales
// of their own, s is the scale of the row. Products of codes are exact in FP32. Sums of INT8 are
// exact and rounded once.
//
// Sums of FP32 and of BF16 are the same chains (gemm.h) on every CPU, so that they give the same
// results, except for BF16 on AMX tiles. There the sum of K products is that of K / 32 steps of two
// chains (tiles.h), and differs from the exact one by at most (18 + K / 32) * 2^-24 * sum(|xc wc|)
// instead of K * 2^-24 * sum(|xc wc|). See products/products.def.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/cpu/operand.h"
#include "engine/cpu/product.h"
#include "engine/engine.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {

class PreparedLinear {
 public:
  // Several layers that read the same quantized x become one layer with their columns side by side;
  // see can_join(). For `expand_codes` see ProductTypes.
  PreparedLinear(const std::vector<const Linear*>& linears, const std::vector<Site>& sites,
                 ComputeType compute, bool expand_codes = false);

  // Returns the form of the operand that run() reads.
  const OperandForm& form() const { return product_->form(); }

  struct Run {
    const float* x;  // [rows, in]; read only if form().is_x()
    size_t x_stride;
    size_t rows;
    Function function;
    float* y;  // [rows, out]; nullptr if only `feed` needs it
    size_t y_stride;
    const RowSink* feed = nullptr;  // gets the parts of y as they are made
  };
  // `operand` holds the rows in form(), unless the form is x itself.
  void run(const Run& args, const Operand& operand) const;

  size_t in() const { return in_; }
  size_t out() const { return out_; }
  // Returns how the layer's products are formed, for KernelChoice::effective.
  std::string effective() const;
  Unit unit() const { return product_->unit(); }

 private:
  size_t in_, out_;
  std::string formats_;  // of both sides; empty if one is not quantized
  std::unique_ptr<Product> product_;
};

}  // namespace fp8q::cpu
