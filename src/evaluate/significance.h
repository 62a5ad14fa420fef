// Is the difference of two scores on the same examples real?
//
// Both models saw the same examples, so the tests are paired: McNemar's exact test on the examples
// that only one of them got right (accuracy), and the paired bootstrap otherwise. The interval of
// the difference is the bootstrap's percentile interval. Resampling uses a fixed generator: the
// same inputs give the same figures on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace fp8q {

struct Difference {
  double score = 0;     // tested minus baseline, in points (the unit of the score)
  double ci95_low = 0;  // of `score`
  double ci95_high = 0;
  double p_value = 1;  // two-sided, of "no difference"
  std::string test;    // "mcnemar-exact" or "paired-bootstrap"
  size_t flips = 0;    // examples whose predicted label differs (0 for regression)
};

// Two-sided exact McNemar test: `only_a` examples right only in one model, `only_b` only in the
// other.
double mcnemar_exact(size_t only_a, size_t only_b);

// Scores of a resampled set of examples, given by index (with repetition).
using ScoreOf = std::function<double(std::span<const uint32_t> examples)>;

struct BootstrapResult {
  double ci95_low = 0;
  double ci95_high = 0;
  double p_value = 1;  // 2 min(share of resampled differences <= 0, share >= 0), at most 1
};

constexpr int kBootstrapRounds = 2000;

// Resamples `examples` examples with replacement kBootstrapRounds times; `tested` and `baseline`
// see the same samples.
BootstrapResult paired_bootstrap(size_t examples, const ScoreOf& tested, const ScoreOf& baseline,
                                 uint64_t seed);

}  // namespace fp8q
