#include "tests/cuda_sim/matmul_reference.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "numeric/types.h"

namespace fp8q::sim {
namespace {

// Returns dense columns of the values of a matrix's elements.
std::vector<float> values(const MatrixLayout& l, const void* data) {
  std::vector<float> result;
  result.reserve(l.rows * l.columns);
  for (size_t column = 0; column < l.columns; ++column)
    for (size_t row = 0; row < l.rows; ++row) {
      const size_t at = column * static_cast<size_t>(l.leading_dimension) + row;
      const auto byte = [&] { return static_cast<const uint8_t*>(data)[at]; };
      switch (l.type) {
        case CUDA_R_16BF:
          result.push_back(static_cast<float>(static_cast<const BFloat16*>(data)[at]));
          break;
        case CUDA_R_8F_E4M3:
          result.push_back(E4M3Codec::decode(byte()));
          break;
        case CUDA_R_8F_E5M2:
          result.push_back(E5M2Codec::decode(byte()));
          break;
        default:
          result.push_back(static_cast<float>(static_cast<int8_t>(byte())));
      }
    }
  return result;
}

double dot(const float* x, const float* y, size_t size) {
  constexpr size_t kLanes = 8;  // independent sums, which the compiler makes a vector
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes)
    for (size_t j = 0; j < kLanes; ++j)
      lanes[j] += static_cast<double>(x[i + j]) * static_cast<double>(y[i + j]);
  double sum = 0;
  for (; i < size; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  for (const double lane : lanes) sum += lane;
  return sum;
}

// Applies what follows a sum: scales, bias, GELU.
class Finish {
 public:
  explicit Finish(const MatmulProblem& p)
      : a_(pointer<float>(p, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER)),
        b_(pointer<float>(p, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER)),
        d_(pointer<float>(p, CUBLASLT_MATMUL_DESC_D_SCALE_POINTER)),
        bias_(pointer<BFloat16>(p, CUBLASLT_MATMUL_DESC_BIAS_POINTER)),
        outer_(p.operation.get(CUBLASLT_MATMUL_DESC_A_SCALE_MODE) ==
               CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F) {}

  double apply(double sum, size_t row, size_t column) const {
    if (a_) sum *= static_cast<double>(a_[outer_ ? row : 0]);
    if (b_) sum *= static_cast<double>(b_[outer_ ? column : 0]);
    if (!bias_) return sum;
    const double x = sum + static_cast<double>(static_cast<float>(bias_[row]));
    const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
    return 0.5 * x * (1 + std::tanh(inner)) * (d_ ? static_cast<double>(*d_) : 1);
  }

 private:
  template <typename T>
  static const T* pointer(const MatmulProblem& p, cublasLtMatmulDescAttributes_t attribute) {
    return reinterpret_cast<const T*>(p.operation.get(attribute));
  }

  const float *a_, *b_, *d_;
  const BFloat16* bias_;
  bool outer_;
};

}  // namespace

void multiply(const MatmulCall& call) {
  const MatmulProblem& p = call.problem;
  const Finish finish(p);
  const size_t k = p.a.rows;
  const std::vector<float> a = values(p.a, call.a), b = values(p.b, call.b);
  for (size_t column = 0; column < p.d.columns; ++column)
    for (size_t row = 0; row < p.d.rows; ++row) {
      const double sum =
          finish.apply(call.alpha * dot(&a[row * k], &b[column * k], k), row, column);
      const size_t at = column * static_cast<size_t>(p.d.leading_dimension) + row;
      switch (p.d.type) {
        case CUDA_R_16BF:
          static_cast<BFloat16*>(call.d)[at] = BFloat16(static_cast<float>(sum));
          break;
        case CUDA_R_8F_E4M3:
          static_cast<uint8_t*>(call.d)[at] = E4M3Codec::encode(static_cast<float>(sum));
          break;
        case CUDA_R_32F:
          static_cast<float*>(call.d)[at] = static_cast<float>(sum);
          break;
        default:
          static_cast<int32_t*>(call.d)[at] = static_cast<int32_t>(std::llround(sum));
      }
    }
}

}  // namespace fp8q::sim
