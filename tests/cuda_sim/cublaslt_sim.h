// Simulates libcublasLt for tests: refuses what the documentation says the real one refuses,
// computes plain sums in double, and remembers how it was called.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cuda/cublaslt.h"

namespace fp8q::sim {

const cuda::CublasLt& cublaslt();

struct MatrixLayout {
  cudaDataType_t type;
  uint64_t rows, columns;
  int64_t leading_dimension;
};

struct MatmulDescriptor {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  // Holds the attributes that were set, as integers or pointers' values.
  std::map<cublasLtMatmulDescAttributes_t, uint64_t> attributes;

  // Returns the value that was set, or the documented default.
  uint64_t get(cublasLtMatmulDescAttributes_t attribute) const;
};

// Holds what every request names.
struct MatmulProblem {
  MatmulDescriptor operation;
  MatrixLayout a, b, c, d;
};

struct HeuristicRequest {
  MatmulProblem problem;
  std::map<cublasLtMatmulPreferenceAttributes_t, uint64_t> preferences;
  int requested;
};

struct MatmulCall {
  MatmulProblem problem;
  const void *a, *b, *c;
  void* d;
  double alpha, beta;
  std::optional<int> algorithm;  // FakeAlgorithm::id; nullopt: left to the library
  const void* workspace;
  size_t workspace_bytes;
  cudaStream_t stream;
};

struct CublasLtCalls {
  std::vector<HeuristicRequest> heuristics;
  std::vector<MatmulProblem> checks;
  std::vector<MatmulCall> matmuls;
  size_t live = 0;  // number of handles and descriptors not destroyed
};
const CublasLtCalls& cublaslt_calls();

struct FakeAlgorithm {
  int id = 0;
  double microseconds = 10;                          // duration on the clock of events
  double scaled_microseconds = 0;                    // duration with channel scales; 0: the same
  double gelu_microseconds = 0;                      // duration with GELU; 0: the same
  size_t workspace_bytes = 0;                        // size of the workspace that it needs
  cublasStatus_t check = CUBLAS_STATUS_SUCCESS;      // result of MatmulAlgoCheck
  cublasStatus_t run = CUBLAS_STATUS_SUCCESS;        // result of Matmul
  cublasStatus_t captured = CUBLAS_STATUS_SUCCESS;   // result of Matmul while the stream captures
  cublasStatus_t heuristic = CUBLAS_STATUS_SUCCESS;  // its state among the candidates
};
// Sets what the heuristic offers for every problem, in this order.
void set_algorithms(std::vector<FakeAlgorithm> algorithms);
cublasLtMatmulAlgo_t opaque(int id);

void set_cublaslt_version(size_t version);
// Makes the call of `function` ("Matmul", "Create", ...) after `after` further ones return
// `status`.
void fail_next_cublaslt(const std::string& function, cublasStatus_t status, int after = 0);

// Forgets calls, injected statuses, algorithms and version. Returns how many handles were leaked.
size_t reset_cublaslt();

}  // namespace fp8q::sim
