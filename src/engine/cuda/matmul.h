// Forms one matrix product y = W x, run by cuBLASLt on codes.
//
// sums[token][n] = sum over k of x[token][k] * weights[n][k], where x and weights are codes'
// values. Applying scales and bias to a sum is usually left to the kernel that reads it next
// (Finish::sum). That kernel has to read the sum anyway, and there are more reasons:
//  - Rounding to BF16 is relative, so a sum may be scaled after it as well as before.
//  - cuBLASLt's scales per channel (OUTER_VEC_32F) exist on few devices and exclude FP8 results.
//  - cuBLASLt's GELU is the tanh form, and BERT's is erf.
// If the device and the model allow, the library can do it: see Finish.
//
// In cuBLASLt's column-major terms D [n x tokens] = A^T B with A = weights [k x n] and B = x [k x
// tokens]. This layout ("TN") is the only one that serves FP8 and INT8 before Blackwell.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cuda/cublaslt.h"
#include "engine/cuda/runtime.h"
#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

enum class Finish {
  sum,         // stored as it is
  scaled_sum,  // FP8 only: times scale[n] (OUTER_VEC_32F, compute capability 9.0)
  // Applies the tanh form of GELU to sum * scale + bias. The result is an element of the next
  // product's operand: E4M3 from FP8 codes, BF16 from BF16 (GELU_BIAS). The bias is BF16.
  gelu,
};

struct MatmulShape {
  int64_t tokens = 0, n = 0, k = 0;
  OperandType weights = OperandType::bf16;
  OperandType x = OperandType::bf16;
  SumType sums = SumType::bf16;
  // Partial sums of FP8 stay in the tensor cores, which is faster but keeps only about 14 bits. The
  // other types have no such choice.
  bool fast_accumulation = false;
  Finish finish = Finish::sum;

  friend bool operator==(const MatmulShape&, const MatmulShape&) = default;
};
// Returns a text like "4096 x 768 x 3072 e4m3 * e5m2 -> bf16 fast": tokens, n, k, weights, x, sums.
// Each shape has its own text. Shapes with a finish end in "scaled" or "gelu".
std::string describe(const MatmulShape& shape);

// Returns why cuBLASLt, by its documentation, cannot form this product on a device of that compute
// capability (10 * major + minor), or nullopt if it can.
std::optional<std::string> unsupported_reason(const MatmulShape& shape, int capability);

// Products share the library's context and its workspace. Products of one context run on one stream
// at a time.
class MatmulContext {
 public:
  MatmulContext(const CublasLt& table, const DeviceInfo& device);

  const CublasLt& table() const { return table_; }
  const DeviceInfo& device() const { return device_; }
  cublasLtHandle_t handle() const { return handle_.get(); }
  void* workspace() const { return workspace_.data(); }
  size_t workspace_bytes() const;

 private:
  const CublasLt& table_;
  DeviceInfo device_;
  std::unique_ptr<cublasLtContext, decltype(&cublasLtDestroy)> handle_;
  DeviceBuffer<std::byte> workspace_;
};

// A Finish applies these constants. They are in device memory, aligned to 16 bytes, and must
// outlive the product.
struct MatmulConstants {
  const float* scale = nullptr;         // scaled_sum: [n]. gelu of FP8 codes: one value
  const uint16_t* bias = nullptr;       // gelu: [n], BF16
  const float* inverse_step = nullptr;  // gelu of FP8 codes: one value, 1 / scale of the results
};

// The operands are in device memory with dense rows, aligned to 16 bytes.
struct MatmulOperands {
  const void* weights = nullptr;  // [n][k]
  const void* x = nullptr;        // [tokens][k]
  void* sums = nullptr;           // [tokens][n], or what `finish` makes of them
};

class Matmul {
 public:
  using Algorithm = cublasLtMatmulAlgo_t;

  // `context` must outlive the object. Throws an Error (unsupported) for a shape with an
  // unsupported_reason().
  Matmul(const MatmulContext& context, const MatmulShape& shape,
         const MatmulConstants& constants = {});

  const MatmulShape& shape() const { return shape_; }

  // Returns at most `count` algorithms, beginning with the one that the library estimates to be the
  // fastest.
  std::vector<Algorithm> candidates(int count) const;
  // Returns whether the library says that an algorithm, perhaps read from a file, runs this product
  // here.
  bool accepts(const Algorithm& algorithm) const;

  // Makes run() use `algorithm` from now on; see choose_algorithm().
  void use(const Algorithm& algorithm) { algorithm_ = algorithm; }
  // Submits the product.
  void run(const MatmulOperands& operands, Stream stream) const;
  // Submits the product with `algorithm`, for trials. Returns false if the library refuses it.
  bool try_run(const MatmulOperands& operands, const Algorithm& algorithm, Stream stream) const;

 private:
  template <typename T>
  using Descriptor = std::unique_ptr<T, cublasStatus_t (*)(T*)>;
  using Layout = Descriptor<cublasLtMatrixLayoutOpaque_t>;

  std::vector<Algorithm> candidates(int count, uint32_t reductions) const;
  template <typename T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value);
  void set_finish(const MatmulConstants& constants);
  cublasLtMatrixLayout_t addend() const { return addend_ ? addend_.get() : sums_.get(); }
  Layout layout(cudaDataType_t type, int64_t rows, int64_t columns) const;
  cublasStatus_t submit(const MatmulOperands& operands, const Algorithm& algorithm,
                        Stream stream) const;

  const MatmulContext& context_;
  MatmulShape shape_;
  Descriptor<cublasLtMatmulDescOpaque_t> operation_;
  Layout weights_, x_, sums_;
  // This is the layout of C, which is not read (beta = 0), if C's type differs from that of the
  // results.
  Layout addend_;
  // scaled_sum takes scales for both operands: those of the tokens are ones.
  DeviceBuffer<float> token_scales_;
  std::optional<Algorithm> algorithm_;
};

}  // namespace fp8q::cuda
