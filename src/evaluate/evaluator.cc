#include "evaluate/evaluator.h"

#include "base/error.h"
#include "evaluate/label_evaluator.h"
#include "evaluate/span_evaluator.h"

namespace fp8q {

std::unique_ptr<Evaluator> make_evaluator(const Task& task, std::span<const Example> examples,
                                          const EvaluatorSettings& settings) {
  if (task.kind == TaskKind::spans)
    return std::make_unique<SpanEvaluator>(task, examples, settings);
  if (!settings.embeddings) return std::make_unique<LabelEvaluator>(task, examples);
  if (!task.is_regression() || !task.has_pair())
    fail(
        ErrorCode::bad_data,
        "the model has no head (it gives hidden states only), which can be scored by the cosine of "
        "pairs of texts, but task {} needs {}",
        task.name, task.is_regression() ? "a regression head" : "a classification head");
  return std::make_unique<EmbeddingEvaluator>(task, examples);
}

}  // namespace fp8q
