// Evaluates tasks whose answer is a part of a text: SQuAD v1.1 and v2.0.
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
  // The metrics are exact_match and f1; the score is F1.
  TaskScore score(const Answers& answers, std::span<const uint32_t> sample) const override;
  // Returns details for SQuAD v2.0 only. These are the best that any threshold reaches on these
  // questions (best_exact_match, best_f1 and their thresholds, which are differences of logits),
  // both metrics on the questions with an answer, and the share of right answers to the others
  // (no_answer_accuracy). The latter two need such questions.
  std::vector<std::pair<std::string, double>> details(const Answers& answers) const override;
  // Returns its references, "a / b", or "(no answer)".
  std::string gold(size_t example) const override;

 private:
  Answers::SpanAnswer worth(const Example& example, const std::string& answer,
                            const std::string& best) const;

  const Task& task_;
  std::span<const Example> examples_;
  EvaluatorSettings settings_;
};

// Finds the start and end logits in the outputs of a sequence. Throws an Error (bad_data) if the
// outputs are neither a start and an end logit per token nor one output with both.
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
  size_t end_ = 0;  // equal to `start_` if one output holds both
};

}  // namespace fp8q
