// Evaluates tasks whose answer is a class or a number: the logits of a head, or the cosine of two
// embeddings.
#pragma once

#include "evaluate/evaluator.h"

namespace fp8q {

class LabelEvaluator : public Evaluator {
 public:
  LabelEvaluator(const Task& task, std::span<const Example> examples, AnsweringOutput output = {});
  Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const override;
  Answers answers(const Sequences& sequences, const RunResult& run,
                  const ModelConfig& config) const override;
  TaskScore score(const Answers& answers, std::span<const uint32_t> sample) const override;
  std::string gold(size_t example) const override;

 protected:
  const Task& task_;
  std::span<const Example> examples_;
  AnsweringOutput output_;
};

// Evaluates models without a head by the cosine of the two texts' embeddings. An embedding is an
// output of the model, or the hidden states of all tokens, including the special ones, pooled as
// Sentence-BERT does (Reimers & Gurevych, 2019).
class EmbeddingEvaluator : public LabelEvaluator {
 public:
  using LabelEvaluator::LabelEvaluator;
  Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const override;
  std::optional<RowFunction> pooling() const override { return output_.pooling; }
  Answers answers(const Sequences& sequences, const RunResult& run,
                  const ModelConfig& config) const override;
};

// Returns the index of the output with this name, or of the first if it is empty, which must have
// one row per sequence. Throws an Error (bad_data) if there is none.
size_t answering_index(const RunResult& run, const std::string& name);

// Fills in `values` and `logits` from the output of this index. If logits are equal, the lower
// class wins. Throws an Error (bad_model) that names the first example whose logits are not finite.
Answers predict(const Task& task, const LabelMap& labels, const RunResult& run, size_t output);

// Fills in `texts` and `right` from `values`, which must be classes of the task if it has classes.
void judge_labels(const Task& task, std::span<const Example> examples, Answers& answers);

// Returns 0 if one of the vectors is zero.
double cosine(std::span<const float> a, std::span<const float> b);

}  // namespace fp8q
