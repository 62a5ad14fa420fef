// Runs linear layers on the GPU. It holds the weights as the matrix product reads them, and scales
// and bias for the kernel that reads its sums.
//
// With x = s * xc and w = t[n] * wc (xc and wc are the values of codes, or the values themselves
// with s = t = 1), the product leaves sum(xc wc) in BF16 or INT32, and the next kernel computes sum
// * (s t[n]) + bias[n]. If each token has a scale, s is 1 and the next kernel multiplies by the
// token's scale.
//
//   formats of x, w                         product
//   E4M3 with E4M3 or E5M2, either way      FP8, where the device has it; BF16 sums
//   INT8, INT8                              INT8, exact INT32 sums
//   other pairs of formats                  BF16 operands that hold the codes' values exactly
//   none, or one of the two                 BF16: what is not quantized is rounded to it
//
// On some devices cuBLASLt can do two more things itself. Timing on the device decides whether it
// does:
//  - It can apply scales per channel (Finish::scaled_sum) instead of the next kernel. This is used
//    if it makes the product faster. The next kernel saves only an fma a value, which is nothing
//    beside its memory traffic.
//  - It can apply GELU and round to the next operand (Finish::gelu) if offer() names them and
//    neither channels nor tokens have scales of their own. That saves a kernel and keeps the widest
//    sums of a layer out of memory. It is used if it is faster than the product and the kernel.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/cuda/algorithm_choice.h"
#include "engine/cuda/device_array.h"
#include "engine/cuda/matmul.h"
#include "engine/weights.h"
#include "kernels/cuda/rows.h"

namespace fp8q::cuda {

class GpuLinear {
 public:
  struct Options {
    bool fast_accumulation = true;
    bool integers = true;  // if false, BF16 holds INT8 codes (for joint BF16 sums)
  };
  // Makes one product of the layers side by side. They must agree in formats and input (see
  // can_join). `context` must outlive the object. Throws an Error (unsupported) that names the
  // layer if its sizes fit no product.
  GpuLinear(const std::vector<const Linear*>& linears, const std::vector<Site>& sites,
            const MatmulContext& context, const Options& options);

  int64_t in() const { return shape_.k; }
  int64_t out() const { return shape_.n; }
  // Say how the input must be rounded, and how much memory a product needs.
  const Rounding& input() const { return input_; }
  int64_t sum_bytes(int64_t tokens) const {
    return tokens * out() * (shape_.sums == SumType::bf16 ? 2 : 4);
  }
  int64_t input_bytes(int64_t tokens) const { return tokens * in() * element_size(shape_.x); }
  // Says what the sums at `data`, left by run() for this many tokens, mean. `row_scales` are the
  // input's (not used unless input() is per_token).
  Sums sums(int64_t tokens, const void* data, const float* row_scales) const;

  // Names what follows the product: an activation whose results, rounded as `next` says, are the
  // next product's operand.
  void offer(Function activation, const Rounding& next);

  // Holds memory for trials, and the cache of their results.
  struct Trials {
    void *x, *sums;  // for the input and the sums of any product
    void* hidden;    // for the input of a product that follows an offer()
    Stream stream;
    AlgorithmCache& cache;
    AlgorithmChoice choice;
  };
  // Settles the algorithm for this many tokens. Waits for the stream if it has to try. Call it
  // before run() is captured.
  void prepare(int64_t tokens, const Trials& trials);
  void run(int64_t tokens, const void* x, void* sums, Stream stream) const;
  // Returns whether run_fused() is to be used for what offer() named.
  bool fused(int64_t tokens) const;
  void run_fused(int64_t tokens, const void* x, void* operand, Stream stream) const;

  std::string unit() const;       // the unit that forms the products: "fp8", "int8" or "bf16"
  std::string effective() const;  // a description for people

 private:
  std::string product_text() const;
  void choose_types(const std::optional<Format>& x, const std::optional<Format>& w, bool integers);
  std::vector<uint8_t> elements(const PlainWeight& weight) const;

  struct Product {
    std::unique_ptr<Matmul> sums, fused;  // fused: nullptr if it is not to be used
    bool scaled = false;                  // `sums` finishes with scaled_sum
  };
  struct Found {
    std::unique_ptr<Matmul> matmul;  // nullptr: cuBLASLt cannot form it
    double microseconds = 0;
  };
  Sums sums(const Product& product, const void* data, const float* row_scales) const;
  bool is_faster(const Matmul& fused, const Product& apart, const Trials& trials) const;
  std::unique_ptr<Matmul> make(int64_t tokens, Finish finish) const;
  Found find(int64_t tokens, Finish finish, const TrialOperands& operands,
             const Trials& trials) const;

  const MatmulContext& context_;
  std::string name_;
  MatmulShape shape_;  // tokens and finish are not used
  Rounding input_;
  std::optional<Format> weight_format_;
  DeviceBuffer<uint8_t> weights_;               // [out][in] elements
  DeviceBuffer<float> scale_, bias_, factors_;  // factors_: one per channel of the input
  std::vector<float> host_scale_, host_bias_;
  bool fusible_ = false;
  Function activation_ = Function::none;  // offer() sets this and next_
  Rounding next_;
  DeviceBuffer<uint16_t> fused_bias_;
  DeviceBuffer<float> inverse_step_;     // of the operand that offer() named
  std::map<int64_t, Product> products_;  // keyed by tokens
};

// Runs a layer of a head: it has few rows, and runs in FP32 (kernels/cuda/rows.h).
class GpuDense {
 public:
  GpuDense(const Linear& linear, const std::vector<Site>& sites, Function function);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  // Returns arguments with everything filled in but rows and memory.
  Dense arguments() const;
  std::string effective() const;

 private:
  int64_t in_, out_;
  Function function_;
  Rounding input_;
  bool quantized_;
  DeviceBuffer<float> weight_, scale_, bias_, factors_;
};

}  // namespace fp8q::cuda
