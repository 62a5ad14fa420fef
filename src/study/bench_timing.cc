#include "study/bench_timing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/stopwatch.h"

namespace fp8q {
namespace {

constexpr size_t kLeastRuns = 3;
constexpr size_t kMostRuns = 10000;

bool enough(const std::vector<double>& runs, const TimingRule& rule) {
  if (rule.repeat > 0) return runs.size() >= rule.repeat;
  if (runs.size() < kLeastRuns) return false;
  return runs.size() >= kMostRuns ||
         std::accumulate(runs.begin(), runs.end(), 0.0) >= rule.min_time;
}

}  // namespace

std::vector<std::vector<double>> time_runs(std::span<Engine* const> engines,
                                           const PackedBatch& batch, const TimingRule& rule) {
  std::vector<std::vector<double>> runs(engines.size());
  for (Engine* engine : engines) engine->run(batch);
  const auto done = [&](const std::vector<double>& r) { return enough(r, rule); };
  // Only whole rounds run, so that all engines run equally often.
  while (!std::ranges::all_of(runs, done))
    for (size_t e = 0; e < engines.size(); ++e) runs[e].push_back(engines[e]->timed_run(batch));
  return runs;
}

std::vector<StageTime> mean_profile(Engine& engine, const PackedBatch& batch,
                                    const TimingRule& rule) {
  std::vector<StageTime> sum;
  std::vector<double> runs;
  do {
    const Stopwatch watch;
    const std::vector<StageTime> one = engine.profile(batch);
    runs.push_back(watch.seconds());
    if (sum.empty()) sum = one;
    else
      for (size_t s = 0; s < sum.size(); ++s) sum[s].seconds += one.at(s).seconds;
  } while (!enough(runs, rule));
  for (StageTime& stage : sum) stage.seconds /= static_cast<double>(runs.size());
  return sum;
}

double quantile(std::vector<double> values, double share) {
  FP8Q_ASSERT(!values.empty());
  std::ranges::sort(values);
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(at));
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - static_cast<double>(below));
}

}  // namespace fp8q
