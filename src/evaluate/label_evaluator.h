// Tasks whose answer is a class or a number: the logits of a head, or the cosine of two embeddings.
#pragma once

#include "evaluate/evaluator.h"

namespace fp8q {

class LabelEvaluator : public Evaluator {
 public:
  LabelEvaluator(const Task& task, std::span<const Example> examples);
  Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const override;
  Answers answers(const Sequences& sequences, const RunResult& run,
                  const ModelConfig& config) const override;
  TaskScore score(const Answers& answers, std::span<const uint32_t> sample) const override;
  std::string gold(size_t example) const override;

 protected:
  const Task& task_;
  std::span<const Example> examples_;
};

// Models without a head: the cosine of the two texts' embeddings, each the mean over all its
// tokens' hidden states (the special ones included, as Sentence-BERT pools: Reimers & Gurevych,
// 2019).
class EmbeddingEvaluator : public LabelEvaluator {
 public:
  using LabelEvaluator::LabelEvaluator;
  Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const override;
  bool takes_means() const override { return true; }
  Answers answers(const Sequences& sequences, const RunResult& run,
                  const ModelConfig& config) const override;
};

// The index of the output that holds one row of logits per sequence. Error (bad_data): the model
// has none.
size_t logits_output(const RunResult& run);

// `values` and `logits`. Of equal logits the lower class wins. Error (bad_model) naming the first
// example whose logits are not finite.
Answers predict(const Task& task, const LabelMap& labels, const RunResult& run);

// Fills in what follows from `values`, which must be classes of the task where it has classes:
// `texts` and `right`.
void judge_labels(const Task& task, std::span<const Example> examples, Answers& answers);

// 0 where one of them is zero.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace fp8q
