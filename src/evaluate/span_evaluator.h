// Tasks whose answer is a part of a text: SQuAD v1.1 and v2.0.
#pragma once

#include "evaluate/evaluator.h"

namespace fp8q {

class SpanEvaluator : public Evaluator {
 public:
  SpanEvaluator(const Task& task, std::span<const Example> examples,
                const EvaluatorSettings& settings);
  Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const override;
  Answers answers(const Sequences& sequences, const RunResult& run,
                  const ModelConfig& config) const override;
  // exact_match and f1; the score is F1.
  TaskScore score(const Answers& answers, std::span<const uint32_t> sample) const override;
  // Of SQuAD v2.0: both for the questions with an answer, the share of right ones among the others
  // (no_answer_accuracy), where there are such, and the best that any threshold reaches on these
  // questions (best_exact_match, best_f1 and their thresholds, which are differences of logits).
  std::vector<std::pair<std::string, double>> details(const Answers& answers) const override;
  // Its references, "a / b"; "(no answer)".
  std::string gold(size_t example) const override;

 private:
  Answers::SpanAnswer worth(const Example& example, const std::string& answer,
                            const std::string& best) const;

  const Task& task_;
  std::span<const Example> examples_;
  EvaluatorSettings settings_;
};

// Views of the start and end logits in the outputs of one sequence. Error (bad_data): the outputs
// are neither a start and an end logit per token nor one output with both.
class SpanOutputs {
 public:
  explicit SpanOutputs(const std::vector<OutputInfo>& outputs);
  struct Logits {
    std::vector<float> start;
    std::vector<float> end;
  };
  Logits of(const ExampleOutputs& outputs) const;

 private:
  size_t start_ = 0;
  size_t end_ = 0;  // the same output holds both where equal
};

}  // namespace fp8q
