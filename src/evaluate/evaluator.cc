#include "evaluate/evaluator.h"

#include "base/error.h"
#include "evaluate/label_evaluator.h"
#include "evaluate/span_evaluator.h"

namespace fp8q {

std::unique_ptr<Evaluator> make_evaluator(const Task& task, std::span<const Example> examples,
                                          const EvaluatorSettings& settings) {
  if (task.kind == TaskKind::spans)
    return std::make_unique<SpanEvaluator>(task, examples, settings);
  const AnsweringOutput& output = settings.output;
  if (!output.embedding) return std::make_unique<LabelEvaluator>(task, examples, output);
  if (!task.is_regression() || !task.has_pair())
    fail(ErrorCode::bad_data,
         "the model has no head (it gives {} only), which can be scored by the cosine of pairs of "
         "texts, but task {} needs {}",
         output.pooling ? "hidden states" : "embeddings", task.name,
         task.is_regression() ? "a regression head" : "a classification head");
  return std::make_unique<EmbeddingEvaluator>(task, examples, output);
}

}  // namespace fp8q
