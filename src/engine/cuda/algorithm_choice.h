// Which of cuBLASLt's algorithms forms a product: the fastest of its candidates, by trial.
//
// The library orders its candidates by an estimate. Trials run within a graph, as the engine runs
// its products, so that the time the host takes to launch does not count.
#pragma once

#include <functional>
#include <optional>

#include "engine/cuda/algorithm_cache.h"
#include "engine/cuda/matmul.h"

namespace fp8q::cuda {

enum class AlgorithmChoice {
  timed,  // the cache's, else the fastest of the candidates, which then goes into the cache
  first,  // the one that the library estimates to be the fastest; the cache is not used
};

struct ChosenAlgorithm {
  enum class Origin { cached, timed, first } origin;
  double microseconds = 0;  // of one product; 0: not timed
};

// Operands for trials, which overwrite x (with random codes) and sums, and wait for the stream.
struct TrialOperands {
  const void* weights;
  void *x, *sums;
  Stream stream;
};

// Gives `matmul` its algorithm; nothing if the library has none that runs.
std::optional<ChosenAlgorithm> find_algorithm(Matmul& matmul, const TrialOperands& trial,
                                              AlgorithmCache& cache, AlgorithmChoice choice);
// The same; Error(device) if there is none.
ChosenAlgorithm choose_algorithm(Matmul& matmul, const TrialOperands& trial, AlgorithmCache& cache,
                                 AlgorithmChoice choice);

inline constexpr int kMostCandidates = 16;

// Of what `submit` sends to the stream: the median of some samples, within a graph. Waits for the
// stream. Nothing if `submit` says that it could not, or cannot be captured.
std::optional<double> microseconds_of(Stream stream, const std::function<bool()>& submit);

}  // namespace fp8q::cuda
