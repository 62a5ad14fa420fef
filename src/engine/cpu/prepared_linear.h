// Holds a linear layer ready to run: its weights are packed for the kernel that serves its formats
// on this CPU.
//
// With x = s * xc and w = t[n] * wc (xc and wc are codes' values, or the values themselves with s =
// t = 1), every path computes y[n] = f(sum(xc wc) * (s t[n]) + bias[n]). If tokens have scales of
// their own, s is the scale of the row. Products of codes are exact in FP32. Sums of INT8 are exact
// and rounded once.
//
//   formats of x, w        AMX, by oneDNN            AVX-512                    elsewhere
//   INT8, INT8             INT8, exact INT32 sums    VNNI: the same             INT16, the same
//   other pairs            BF16 holding the codes    BF16: the same             FP32
//   none, BF16 asked       BF16                      BF16: the same             FP32 of BF16 values
//   none, or one of them   FP32                      FP32                       FP32
//
// Without AMX, sums of FP32 and of BF16 are the same chains (gemm.h), so that all such CPUs give
// the same results. See weight_panels.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/cpu/buffer.h"
#include "engine/cpu/operand.h"
#include "engine/cpu/weight_panels.h"
#include "engine/engine.h"
#include "engine/weights.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/dnnl_matmul.h"
#include "kernels/cpu/roof.h"

namespace fp8q::cpu {

class PreparedLinear {
 public:
  // Several layers that read the same quantized x become one layer with their columns side by side;
  // see can_join(). For `expand_codes` see ProductTypes.
  PreparedLinear(const std::vector<const Linear*>& linears, const std::vector<Site>& sites,
                 ComputeType compute, bool expand_codes = false);

  // Returns the form of the operand that run() reads.
  const OperandForm& form() const { return form_; }

  struct Run {
    const float* x;  // [rows, in]; read only if form().is_x()
    size_t x_stride;
    size_t rows;
    Function function;
    float* y;  // [rows, out]; nullptr if only `feed` needs it
    size_t y_stride;
    const LinearFeed* feed = nullptr;  // gets the parts of y as they are made
  };
  // `operand` holds the rows in form(), unless the form is x itself.
  void run(const Run& args, const Operand& operand) const;

  size_t in() const { return in_; }
  size_t out() const { return out_; }
  // Returns how the layer's products are formed, for KernelChoice::effective.
  std::string effective() const;
  Unit unit() const;

 private:
  ProductTypes types() const;
  bool prepare_dnnl(const PlainWeight& weight);
  std::unique_ptr<DnnlMatmul> make_dnnl(const std::vector<float>& values, size_t i) const;

  OperandForm make_form() const;

  struct Block;
  void run_own(const Run& args, const Operand& operand) const;
  void run_dnnl(const Run& args, const Operand& operand) const;
  void run_block(const Block& block) const;
  void run_dnnl_block(const Block& block, size_t i) const;

  size_t in_ = 0, out_ = 0;
  std::optional<ActivationQuantization> x_;
  std::optional<Format> w_;
  bool round_to_bf16_ = false;  // unquantized operands are rounded
  bool expand_codes_;
  OperandForm form_;
  std::vector<float> scale_, bias_;  // by column, to whole panels; empty: none
  DotType dot_ = DotType::bf16;
  // Either dnnl_ or panels_ holds the weights.
  std::vector<std::unique_ptr<DnnlMatmul>> dnnl_;  // blocks of columns, side by side
  WeightPanels panels_;
  bool dnnl_refused_ = false;  // the CPU has AMX tiles, but oneDNN refused the product
};

}  // namespace fp8q::cpu
