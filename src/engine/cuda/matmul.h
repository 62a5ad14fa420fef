// One matrix product y = W x, run by cuBLASLt on codes.
//
// sums[token][n] = sum over k of x[token][k] * weights[n][k], of the codes' values: no scales, no
// bias, no activation. The kernel that reads the sums next applies them, because it has to read
// them anyway, and because
//  - rounding to BF16 is relative, so a sum may be scaled after it as well as before;
//  - cuBLASLt's scales per channel (OUTER_VEC_32F) exist on few devices and exclude FP8 results;
//  - its GELU is the tanh form, and BERT's is erf.
//
// In cuBLASLt's column-major terms D [n x tokens] = A^T B with A = weights [k x n] and B = x
// [k x tokens], the one layout ("TN") that serves FP8 and INT8 before Blackwell.
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

struct MatmulShape {
  int64_t tokens = 0, n = 0, k = 0;
  OperandType weights = OperandType::bf16;
  OperandType x = OperandType::bf16;
  SumType sums = SumType::bf16;
  // Of FP8: partial sums stay in the tensor cores, which keep about 14 bits; faster. The other
  // types have no such choice.
  bool fast_accumulation = false;

  friend bool operator==(const MatmulShape&, const MatmulShape&) = default;
};
// "4096 x 768 x 3072 e4m3 * e5m2 -> bf16 fast": tokens, n, k, weights, x, sums. One text a shape.
std::string describe(const MatmulShape& shape);

// Why cuBLASLt cannot form this product on a device of that compute capability (10 * major +
// minor), by its documentation; nothing where it can.
std::optional<std::string> unsupported_reason(const MatmulShape& shape, int capability);

// What products share: the library's context and its workspace. Products of one context run on one
// stream at a time.
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

// Device memory, dense rows, aligned to 16 bytes.
struct MatmulOperands {
  const void* weights = nullptr;  // [n][k]
  const void* x = nullptr;        // [tokens][k]
  void* sums = nullptr;           // [tokens][n]
};

class Matmul {
 public:
  using Algorithm = cublasLtMatmulAlgo_t;

  // `context` must outlive it. Error(unsupported) for a shape with an unsupported_reason().
  Matmul(const MatmulContext& context, const MatmulShape& shape);

  const MatmulShape& shape() const { return shape_; }

  // At most `count` algorithms, the one that the library estimates to be the fastest first.
  std::vector<Algorithm> candidates(int count) const;
  // Whether the library says that an algorithm, of a file perhaps, runs this product here.
  bool accepts(const Algorithm& algorithm) const;

  // run() uses `algorithm` from now on; see choose_algorithm().
  void use(const Algorithm& algorithm) { algorithm_ = algorithm; }
  // Submits the product.
  void run(const MatmulOperands& operands, Stream stream) const;
  // The same with `algorithm`, for trials: false if the library refuses it.
  bool try_run(const MatmulOperands& operands, const Algorithm& algorithm, Stream stream) const;

 private:
  template <typename T>
  using Descriptor = std::unique_ptr<T, cublasStatus_t (*)(T*)>;
  using Layout = Descriptor<cublasLtMatrixLayoutOpaque_t>;

  std::vector<Algorithm> candidates(int count, uint32_t reductions) const;
  template <typename T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value);
  Layout layout(cudaDataType_t type, int64_t rows, int64_t columns) const;
  cublasStatus_t submit(const MatmulOperands& operands, const Algorithm& algorithm,
                        Stream stream) const;

  const MatmulContext& context_;
  MatmulShape shape_;
  Descriptor<cublasLtMatmulDescOpaque_t> operation_;
  Layout weights_, x_, sums_;
  std::optional<Algorithm> algorithm_;
};

}  // namespace fp8q::cuda
