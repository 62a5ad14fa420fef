#include "engine/cuda/algorithm_choice.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace fp8q::cuda {
namespace {

constexpr int kRunsPerSample = 8;  // so that the clock of events (0.5 us) and gaps hardly count
constexpr size_t kSamples = 5;

using Algorithm = Matmul::Algorithm;

// Of one product, the median of some samples; nothing if the library refuses.
std::optional<double> microseconds(const Matmul& matmul, const MatmulOperands& operands,
                                   const Algorithm& algorithm, Stream stream) {
  if (!matmul.try_run(operands, algorithm, stream)) return std::nullopt;
  bool refused = false;
  const GraphExec graph = capture(stream, [&] {
    for (int i = 0; i < kRunsPerSample; ++i)
      refused |= !matmul.try_run(operands, algorithm, stream);
  });
  if (refused) return std::nullopt;
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

[[noreturn]] void fail_without_algorithm(const Matmul& matmul, size_t tried) {
  fail(ErrorCode::device, "matrix product {}: cuBLASLt has no algorithm that runs ({} tried)",
       describe(matmul.shape()), tried);
}

TimedAlgorithm fastest(const Matmul& matmul, const MatmulOperands& operands, Stream stream) {
  const auto candidates = matmul.candidates(kMostCandidates);
  std::optional<TimedAlgorithm> best;
  for (const Algorithm& candidate : candidates) {
    const auto time = microseconds(matmul, operands, candidate, stream);
    if (time && (!best || *time < best->microseconds)) best = {candidate, *time};
  }
  if (!best) fail_without_algorithm(matmul, candidates.size());
  return *best;
}

}  // namespace

ChosenAlgorithm choose_algorithm(Matmul& matmul, const MatmulOperands& operands, Stream stream,
                                 AlgorithmCache& cache, AlgorithmChoice choice) {
  using Origin = ChosenAlgorithm::Origin;
  if (choice == AlgorithmChoice::first) {
    const auto candidates = matmul.candidates(1);
    if (candidates.empty()) fail_without_algorithm(matmul, 0);
    matmul.use(candidates.front());
    return {Origin::first};
  }
  if (const auto cached = cache.find(matmul.shape()); cached && matmul.accepts(cached->algorithm)) {
    matmul.use(cached->algorithm);
    return {Origin::cached, cached->microseconds};
  }
  const TimedAlgorithm best = fastest(matmul, operands, stream);
  matmul.use(best.algorithm);
  cache.put(matmul.shape(), best);
  return {Origin::timed, best.microseconds};
}

}  // namespace fp8q::cuda
