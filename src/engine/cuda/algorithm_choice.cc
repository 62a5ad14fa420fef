#include "engine/cuda/algorithm_choice.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/cuda/random_codes.h"

namespace fp8q::cuda {
namespace {

// This many runs make the resolution of events (0.5 us) and gaps insignificant.
constexpr int kRunsPerSample = 8;
constexpr size_t kSamples = 5;

using Algorithm = Matmul::Algorithm;

bool by_time(const TimedAlgorithm& a, const TimedAlgorithm& b) {
  return a.microseconds < b.microseconds;
}

// Returns an empty graph if the work cannot be captured, which may break off the capture.
GraphExec captured_runs(Stream stream, const std::function<bool()>& submit) try {
  bool refused = false;
  GraphExec graph = capture(stream, [&] {
    for (int i = 0; i < kRunsPerSample; ++i) refused |= !submit();
  });
  return refused ? GraphExec() : std::move(graph);
} catch (const Error&) {
  return {};
}

std::optional<double> microseconds(const Matmul& matmul, const MatmulOperands& operands,
                                   const Algorithm& algorithm, Stream stream) {
  return microseconds_of(stream, [&] { return matmul.try_run(operands, algorithm, stream); });
}

// A GPU that has stopped refuses everything; the error then says so.
[[noreturn]] void fail_without_algorithm(const Matmul& matmul, Stream stream) {
  check(cudaStreamSynchronize(stream), "matrix product " + describe(matmul.shape()));
  fail(ErrorCode::device, "matrix product {}: cuBLASLt has no algorithm that runs ({} tried)",
       describe(matmul.shape()), matmul.candidates(kMostCandidates).size());
}

std::optional<TimedAlgorithm> fastest(const Matmul& matmul, const MatmulOperands& operands,
                                      Stream stream) {
  constexpr size_t kFinalists = 3;
  const auto candidates = matmul.candidates(kMostCandidates);
  std::vector<TimedAlgorithm> timed;
  for (const Algorithm& candidate : candidates)
    if (const auto time = microseconds(matmul, operands, candidate, stream))
      timed.push_back({candidate, *time});
  if (timed.empty()) return std::nullopt;
  // The first candidate ran while the device's clock was that of an idle device, and it is the
  // library's favorite. It goes into the final with the fastest.
  const size_t finalists = std::min(timed.size(), 1 + kFinalists);
  std::partial_sort(timed.begin() + 1, timed.begin() + static_cast<ptrdiff_t>(finalists),
                    timed.end(), by_time);
  timed.resize(finalists);
  for (TimedAlgorithm& finalist : timed)
    if (const auto time = microseconds(matmul, operands, finalist.algorithm, stream))
      finalist.microseconds = *time;
  return *std::min_element(timed.begin(), timed.end(), by_time);
}

// Returns the library's first candidate that runs. It runs once here, because what is loaded at the
// first launch of an algorithm should not be loaded while a graph is captured.
std::optional<Algorithm> first_that_runs(const Matmul& matmul, const MatmulOperands& operands,
                                         Stream stream) {
  const auto candidates = matmul.candidates(kMostCandidates);
  for (const Algorithm& candidate : candidates)
    if (matmul.try_run(operands, candidate, stream)) return candidate;
  return std::nullopt;
}

}  // namespace

std::optional<double> microseconds_of(Stream stream, const std::function<bool()>& submit) {
  // Runs once without a graph: see first_that_runs().
  if (!submit()) return std::nullopt;
  const GraphExec graph = captured_runs(stream, submit);
  if (!graph) return std::nullopt;
  graph.launch(stream);
  Event from, to;
  std::array<double, kSamples> samples;
  for (double& sample : samples) {
    from.record(stream);
    graph.launch(stream);
    to.record(stream);
    to.synchronize();
    sample = 1000 * Event::milliseconds(from, to) / kRunsPerSample;
  }
  std::nth_element(samples.begin(), samples.begin() + kSamples / 2, samples.end());
  return samples[kSamples / 2];
}

std::optional<ChosenAlgorithm> find_algorithm(Matmul& matmul, const TrialOperands& trial,
                                              AlgorithmCache& cache, AlgorithmChoice choice) {
  using Origin = ChosenAlgorithm::Origin;
  const MatmulOperands operands = {trial.weights, trial.x, trial.sums};
  const Stream stream = trial.stream;
  if (choice == AlgorithmChoice::first) {
    const auto first = first_that_runs(matmul, operands, stream);
    if (!first) return std::nullopt;
    matmul.use(*first);
    return ChosenAlgorithm{Origin::first};
  }
  if (const auto cached = cache.find(matmul.shape());
      cached && matmul.accepts(cached->algorithm) &&
      matmul.try_run(operands, cached->algorithm, stream)) {
    matmul.use(cached->algorithm);
    return ChosenAlgorithm{Origin::cached, cached->microseconds};
  }
  const MatmulShape& shape = matmul.shape();
  const auto x_bytes = static_cast<size_t>(shape.tokens * shape.k * element_size(shape.x));
  fill_with_random_codes(shape.x, trial.x, x_bytes, stream);
  const auto best = fastest(matmul, operands, stream);
  if (!best) return std::nullopt;
  matmul.use(best->algorithm);
  cache.put(matmul.shape(), *best);
  return ChosenAlgorithm{Origin::timed, best->microseconds};
}

ChosenAlgorithm choose_algorithm(Matmul& matmul, const TrialOperands& trial, AlgorithmCache& cache,
                                 AlgorithmChoice choice) {
  const auto chosen = find_algorithm(matmul, trial, cache, choice);
  if (!chosen) fail_without_algorithm(matmul, trial.stream);
  return *chosen;
}

}  // namespace fp8q::cuda
