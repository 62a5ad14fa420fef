#include "evaluate/significance.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "base/assert.h"

namespace fp8q {

double mcnemar_exact(size_t only_a, size_t only_b) {
  // Under the null hypothesis each discordant example falls to either side with probability 1/2.
  // The p-value is twice the binomial tail of the smaller side, summed in logarithms because 2^-n
  // underflows.
  const size_t n = only_a + only_b;
  if (n == 0) return 1.0;
  const double trials = static_cast<double>(n);
  double tail = 0;
  for (size_t k = 0; k <= std::min(only_a, only_b); ++k) {
    const double successes = static_cast<double>(k);
    tail += std::exp(std::lgamma(trials + 1) - std::lgamma(successes + 1) -
                     std::lgamma(trials - successes + 1) - trials * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

namespace {

// Draws uniformly from [0, bound), with a bias below bound / 2^64. std::uniform_int_distribution
// differs between standard libraries; this function does not.
uint32_t uniform(std::mt19937_64& generator, size_t bound) {
  return static_cast<uint32_t>(generator() % bound);
}

}  // namespace

std::vector<double> bootstrap_scores(size_t examples, const ScoreOf& score, uint64_t seed) {
  FP8Q_ASSERT(examples > 0);
  std::mt19937_64 generator(seed);
  std::vector<uint32_t> sample(examples);
  std::vector<double> scores(kBootstrapRounds);
  for (double& round : scores) {
    for (uint32_t& index : sample) index = uniform(generator, examples);
    round = score(sample);
  }
  return scores;
}

Interval percentile_interval(std::vector<double> values, double confidence) {
  FP8Q_ASSERT(!values.empty());
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double q) {
    return values[static_cast<size_t>(std::lround(q * static_cast<double>(values.size() - 1)))];
  };
  return {quantile((1 - confidence) / 2), quantile((1 + confidence) / 2)};
}

std::vector<double> paired_differences(std::span<const double> tested,
                                       std::span<const double> baseline) {
  FP8Q_ASSERT(tested.size() == baseline.size());
  std::vector<double> differences(tested.size());
  std::transform(tested.begin(), tested.end(), baseline.begin(), differences.begin(), std::minus());
  return differences;
}

BootstrapResult paired_bootstrap(std::span<const double> tested, std::span<const double> baseline) {
  const std::vector<double> differences = paired_differences(tested, baseline);
  const auto share = [&](auto&& predicate) {
    return static_cast<double>(std::count_if(differences.begin(), differences.end(), predicate)) /
           static_cast<double>(differences.size());
  };
  const double not_above = share([](double d) { return d <= 0; });
  const double not_below = share([](double d) { return d >= 0; });
  return {percentile_interval(differences), std::min(1.0, 2 * std::min(not_above, not_below))};
}

}  // namespace fp8q
