#include "evaluate/score.h"

#include <cmath>

#include "base/error.h"

namespace fp8q {

size_t logits_output(const RunResult& run) {
  for (size_t o = 0; o < run.outputs.size(); ++o)
    if (!run.outputs[o].per_token) return o;
  std::vector<std::string> names;
  for (const auto& output : run.outputs) names.push_back(printable(output.name));
  fail(ErrorCode::bad_data,
       "the model gives no logits per example (its outputs are {}, per token); this task needs a "
       "model with a classification or regression head",
       fmt::join(names, ", "));
}

Predictions predict(const Task& task, const LabelMap& labels, const RunResult& run) {
  const size_t output = logits_output(run);
  Predictions predictions;
  for (size_t e = 0; e < run.examples.size(); ++e) {
    const std::vector<float>& logits = run.examples[e][output];
    for (const float logit : logits)
      if (!std::isfinite(logit))
        fail(ErrorCode::bad_model, "the model gives logits that are not finite for example {}", e);
    double value = logits[labels.logit_of_class[0]];
    if (!task.is_regression()) {
      size_t best = 0;
      for (size_t c = 1; c < labels.logit_of_class.size(); ++c)
        if (logits[labels.logit_of_class[c]] > logits[labels.logit_of_class[best]]) best = c;
      value = static_cast<double>(best);
    }
    predictions.values.push_back(value);
    predictions.logits.push_back(logits);
  }
  return predictions;
}

std::vector<double> gold_of(const std::vector<Example>& examples) {
  std::vector<double> gold;
  gold.reserve(examples.size());
  for (const auto& example : examples) gold.push_back(example.gold);
  return gold;
}

namespace {

// The task's score on a resampled set of examples.
ScoreOf resampled_score(const Task& task, const std::vector<double>& gold,
                        const std::vector<double>& predicted) {
  return [&](std::span<const uint32_t> sample) {
    std::vector<double> g, p;
    g.reserve(sample.size());
    p.reserve(sample.size());
    for (const uint32_t e : sample) {
      g.push_back(gold[e]);
      p.push_back(predicted[e]);
    }
    return score_task(task, g, p).score;
  };
}

bool is_accuracy_alone(const Task& task) {
  return task.metrics.size() == 1 && task.metrics[0] == MetricKind::accuracy;
}

}  // namespace

Scored score_predictions(const Task& task, const std::vector<Example>& examples,
                         Predictions predictions, uint64_t seed) {
  const std::vector<double> gold = gold_of(examples);
  Scored scored;
  scored.score = score_task(task, gold, predictions.values);
  scored.resampled =
      bootstrap_scores(gold.size(), resampled_score(task, gold, predictions.values), seed);
  scored.ci95 = interval95(scored.resampled);
  scored.predictions = std::move(predictions);
  return scored;
}

Difference compare(const Task& task, const std::vector<Example>& examples, const Scored& tested,
                   const Scored& baseline) {
  Difference difference;
  difference.score = tested.score.score - baseline.score.score;
  const BootstrapResult bootstrap = paired_bootstrap(tested.resampled, baseline.resampled);
  difference.ci95 = bootstrap.ci95;
  difference.p_value = bootstrap.p_value;
  difference.test = "paired-bootstrap";
  if (task.is_regression()) return difference;

  size_t only_tested = 0, only_baseline = 0;
  for (size_t e = 0; e < examples.size(); ++e) {
    const double label = tested.predictions.values[e];
    const double before = baseline.predictions.values[e];
    if (label == before) continue;
    difference.flips.push_back(e);
    only_tested += label == examples[e].gold;
    only_baseline += before == examples[e].gold;
  }
  if (is_accuracy_alone(task)) {
    difference.p_value = mcnemar_exact(only_tested, only_baseline);
    difference.test = "mcnemar-exact";
  }
  return difference;
}

}  // namespace fp8q
