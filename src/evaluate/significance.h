// Answers two questions: how far off may a score be, and is the difference of two scores on the
// same examples real?
//
// Both models saw the same examples, so the tests are paired. Accuracy uses McNemar's exact test on
// the examples that only one of the models got right. Other scores use the paired bootstrap.
// Intervals of a score and of a difference are the bootstrap's percentile intervals. Resampling
// uses a fixed generator, so the same inputs give the same figures on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fp8q {

struct Interval {
  double low = 0;
  double high = 0;
};

struct Difference {
  double score = 0;    // tested minus baseline, in points (the unit of the score)
  Interval ci95;       // of `score`
  double p_value = 1;  // two-sided, for the hypothesis "no difference"
  std::string test;    // "mcnemar-exact" or "paired-bootstrap"
  // Lists the examples whose answer differs. It is nullopt if answers are numbers, all of which may
  // differ a little.
  std::optional<std::vector<size_t>> flips;
};

// Returns the p-value of the two-sided exact McNemar test. `only_a` examples are right only in one
// model, `only_b` only in the other.
double mcnemar_exact(size_t only_a, size_t only_b);

// Scores a resampled set of examples, given by index (with repetition).
using ScoreOf = std::function<double(std::span<const uint32_t> examples)>;

constexpr int kBootstrapRounds = 2000;

// Returns the scores on kBootstrapRounds samples of `examples` examples each, drawn with
// replacement. The same `examples` and `seed` give the same samples, so the lists of two models are
// paired round by round.
std::vector<double> bootstrap_scores(size_t examples, const ScoreOf& score, uint64_t seed);

// Returns the percentile interval of this confidence, which is in (0, 1). `values` must not be
// empty.
Interval percentile_interval(std::vector<double> values, double confidence = 0.95);

struct BootstrapResult {
  Interval ci95;
  double p_value = 1;  // 2 min(share of resampled differences <= 0, share >= 0), at most 1
};

// Returns the differences of two lists of bootstrap_scores() on the same samples, round by round.
std::vector<double> paired_differences(std::span<const double> tested,
                                       std::span<const double> baseline);

// Computes interval and p-value from the differences of two lists of bootstrap_scores() on the same
// samples.
BootstrapResult paired_bootstrap(std::span<const double> tested, std::span<const double> baseline);

}  // namespace fp8q
