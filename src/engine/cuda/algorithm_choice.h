// Chooses which of cuBLASLt's algorithms forms a product: the fastest of its candidates, by trial.
//
// The library orders its candidates by an estimate. Trials run within a graph, as the products of
// the engine do, so that the time the host takes to launch does not count.
#pragma once

#include <functional>
#include <optional>

#include "engine/cuda/algorithm_cache.h"
#include "engine/cuda/matmul.h"

namespace fp8q::cuda {

enum class AlgorithmChoice {
  timed,  // the cached one, else the fastest of the candidates, which is then cached
  first,  // the one that the library estimates to be the fastest; the cache is not used
};

struct ChosenAlgorithm {
  enum class Origin { cached, timed, first } origin;
  double microseconds = 0;  // of one product; 0: not timed
};

// These operands are for trials, which overwrite x (with random codes) and sums, and wait for the
// stream.
struct TrialOperands {
  const void* weights;
  void *x, *sums;
  Stream stream;
};

// Gives `matmul` its algorithm. Returns nullopt if the library has none that runs.
std::optional<ChosenAlgorithm> find_algorithm(Matmul& matmul, const TrialOperands& trial,
                                              AlgorithmCache& cache, AlgorithmChoice choice);
// Does the same, and throws an Error (device) if there is none.
ChosenAlgorithm choose_algorithm(Matmul& matmul, const TrialOperands& trial, AlgorithmCache& cache,
                                 AlgorithmChoice choice);

inline constexpr int kMostCandidates = 16;

// Returns the median time of some samples of the work that `submit` sends to the stream, within a
// graph. Waits for the stream. Returns nullopt if `submit` returns false or its work cannot be
// captured.
std::optional<double> microseconds_of(Stream stream, const std::function<bool()>& submit);

}  // namespace fp8q::cuda
