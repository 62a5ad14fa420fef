#include "api/task_scorer.h"

#include "api/task_options.h"
#include "base/error.h"
#include "text/encodings.h"

namespace fp8q {

TaskScorer::TaskScorer(const Bundle& bundle, EvaluateOptions options,
                       std::vector<std::string>& notes, const HoldoutSide& side)
    : options_(std::move(options)),
      inputs_(options_, bundle, notes, side),
      prepared_(inputs_.prepared(bundle, notes)),
      config_(find_model_config(bundle.folder, options_.config)),
      scorer_({.evaluator = *prepared_.evaluator,
               .sequences = prepared_.sequences,
               .config = config_,
               .batch = options_.execution.batch,
               .seed = options_.seed}) {}

std::string TaskScorer::fingerprint() const {
  std::string text =
      fmt::format("{} {}, data {}, {} examples, ids {}, labels {}", task().name, data().split,
                  data().sha256, scorer_.examples(), sha256_of(prepared_.sequences.encodings),
                  fmt::join(config_.id2label, "|"));
  for (const auto& [name, value] : answering_options(options_.task, task()))
    text += fmt::format(", {} {}", name, value);
  for (const MetricKind metric : task().metrics) text += fmt::format(", {}", metric_name(metric));
  return text;
}

}  // namespace fp8q
