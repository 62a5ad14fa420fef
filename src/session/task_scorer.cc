#include "session/task_scorer.h"

#include "base/error.h"
#include "session/task_options.h"
#include "text/encodings.h"

namespace fp8q {

TaskScorer::TaskScorer(const Bundle& bundle, const TaskRequest& request, const Settings& settings,
                       std::vector<std::string>& notes)
    : options_(request.task),
      inputs_(request, bundle, notes),
      prepared_(inputs_.prepared(bundle, notes)),
      config_(inputs_.config(bundle)),
      scorer_({.evaluator = *prepared_.evaluator,
               .sequences = prepared_.sequences,
               .config = config_,
               .batch = settings.batch,
               .seed = settings.seed}) {}

std::string TaskScorer::fingerprint() const {
  std::string text =
      fmt::format("{} {}, data {}, {} examples, ids {}, labels {}", task().name, data().split,
                  data().sha256, scorer_.examples(), sha256_of(prepared_.sequences.encodings),
                  fmt::join(config_.id2label, "|"));
  for (const auto& [name, value] : answering_options(options_, task()))
    text += fmt::format(", {} {}", name, value);
  for (const MetricKind metric : task().metrics) text += fmt::format(", {}", metric_name(metric));
  return text;
}

}  // namespace fp8q
