// A libcublasLt for tests: refuses what the documentation says the real one refuses, computes plain
// sums in double, and remembers how it was called.
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
  // Set attributes, as integers or pointers' values.
  std::map<cublasLtMatmulDescAttributes_t, uint64_t> attributes;

  uint64_t get(cublasLtMatmulDescAttributes_t attribute) const;  // or the documented default
};

// What every request names.
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
  std::optional<int> algorithm;  // FakeAlgorithm::id; nothing: left to the library
  const void* workspace;
  size_t workspace_bytes;
  cudaStream_t stream;
};

struct CublasLtCalls {
  std::vector<HeuristicRequest> heuristics;
  std::vector<MatmulProblem> checks;
  std::vector<MatmulCall> matmuls;
  size_t live = 0;  // handles and descriptors not destroyed
};
const CublasLtCalls& cublaslt_calls();

struct FakeAlgorithm {
  int id = 0;
  double microseconds = 10;                          // on the clock of events
  double scaled_microseconds = 0;                    // with scales per channel; 0: the same
  double gelu_microseconds = 0;                      // with GELU; 0: the same
  size_t workspace_bytes = 0;                        // that it needs
  cublasStatus_t check = CUBLAS_STATUS_SUCCESS;      // what MatmulAlgoCheck says
  cublasStatus_t run = CUBLAS_STATUS_SUCCESS;        // what Matmul says
  cublasStatus_t captured = CUBLAS_STATUS_SUCCESS;   // what it says while the stream captures
  cublasStatus_t heuristic = CUBLAS_STATUS_SUCCESS;  // its state among the candidates
};
// What the heuristic offers for every problem, in this order.
void set_algorithms(std::vector<FakeAlgorithm> algorithms);
cublasLtMatmulAlgo_t opaque(int id);

void set_cublaslt_version(size_t version);
// The call of `function` ("Matmul", "Create", ...) after `after` further ones returns `status`.
void fail_next_cublaslt(const std::string& function, cublasStatus_t status, int after = 0);

// Forgets calls, injected statuses, algorithms and version. Returns how many handles were leaked.
size_t reset_cublaslt();

}  // namespace fp8q::sim
