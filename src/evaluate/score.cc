#include "evaluate/score.h"

#include <numeric>

#include "base/assert.h"

namespace fp8q {

Scored score_answers(const Evaluator& evaluator, size_t examples, Answers answers, uint64_t seed) {
  std::vector<uint32_t> all(examples);
  std::iota(all.begin(), all.end(), uint32_t{0});
  Scored scored;
  scored.score = evaluator.score(answers, all);
  std::vector<std::vector<double>> metrics(scored.score.metrics.size());
  const ScoreOf resampled = [&](std::span<const uint32_t> sample) {
    const TaskScore score = evaluator.score(answers, sample);
    for (size_t m = 0; m < metrics.size(); ++m) metrics[m].push_back(score.metrics[m].second);
    return score.score;
  };
  scored.resampled = bootstrap_scores(examples, resampled, seed);
  scored.ci95 = percentile_interval(scored.resampled);
  for (auto& values : metrics)
    scored.metrics_ci95.push_back(percentile_interval(std::move(values)));
  scored.details = evaluator.details(answers);
  scored.answers = std::move(answers);
  return scored;
}

namespace {

// Runs McNemar's test on the examples that only one of two models got right.
double right_or_wrong_p_value(const std::vector<bool>& tested, const std::vector<bool>& baseline) {
  size_t only_tested = 0, only_baseline = 0;
  for (size_t e = 0; e < tested.size(); ++e) {
    only_tested += tested[e] && !baseline[e];
    only_baseline += baseline[e] && !tested[e];
  }
  return mcnemar_exact(only_tested, only_baseline);
}

}  // namespace

Difference compare(const Scored& tested, const Scored& baseline) {
  Difference difference;
  difference.score = tested.score.score - baseline.score.score;
  const BootstrapResult bootstrap = paired_bootstrap(tested.resampled, baseline.resampled);
  difference.ci95 = bootstrap.ci95;
  difference.p_value = bootstrap.p_value;
  difference.test = "paired-bootstrap";
  const auto& texts = tested.answers.texts;
  FP8Q_ASSERT(texts.size() == baseline.answers.texts.size());
  if (!texts.empty()) difference.flips.emplace();
  for (size_t e = 0; e < texts.size(); ++e)
    if (texts[e] != baseline.answers.texts[e]) difference.flips->push_back(e);
  if (!tested.answers.right.empty()) {
    difference.p_value = right_or_wrong_p_value(tested.answers.right, baseline.answers.right);
    difference.test = "mcnemar-exact";
  }
  return difference;
}

}  // namespace fp8q
