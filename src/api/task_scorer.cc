#include "api/task_scorer.h"

#include <numeric>

#include "api/task_options.h"
#include "api/text_inputs.h"
#include "base/error.h"

namespace fp8q {

TaskScorer::TaskScorer(const Bundle& bundle, EvaluateOptions options,
                       std::vector<std::string>& notes, const HoldoutSide& side)
    : options_(std::move(options)),
      inputs_(options_, bundle, notes, side),
      prepared_(inputs_.prepared(bundle, notes)),
      config_(find_model_config(bundle.folder, options_.config)) {}

Answers TaskScorer::answers(Engine& engine, const Progress& progress) const {
  const RunResult run = run_examples(
      engine, prepared_.sequences.encodings,
      {.batch = options_.execution.batch, .mean_tokens = prepared_.evaluator->takes_means()},
      progress);
  return prepared_.evaluator->answers(prepared_.sequences, run, config_);
}

Scored TaskScorer::scored(Engine& engine, const Progress& progress) const {
  return score_answers(*prepared_.evaluator, examples(), answers(engine, progress), options_.seed);
}

double TaskScorer::score(Engine& engine) const {
  std::vector<uint32_t> all(examples());
  std::iota(all.begin(), all.end(), 0u);
  return prepared_.evaluator->score(answers(engine, nullptr), all).score;
}

std::string TaskScorer::fingerprint() const {
  std::string text = fmt::format(
      "{} {}, data {}, {} examples, ids {}, labels {}", task().name, data().split, data().sha256,
      examples(), sha256_of(prepared_.sequences.encodings), fmt::join(config_.id2label, "|"));
  for (const auto& [name, value] : answering_options(options_.task, task()))
    text += fmt::format(", {} {}", name, value);
  for (const MetricKind metric : task().metrics) text += fmt::format(", {}", metric_name(metric));
  return text;
}

}  // namespace fp8q
