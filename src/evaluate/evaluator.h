// What sets one kind of task apart: the sequences a model reads, what its outputs answer, and what
// the answers are worth. Running models, intervals and comparisons are the same for all kinds and
// live in run.h and score.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "evaluate/run.h"
#include "evaluate/sequences.h"
#include "evaluate/spans.h"
#include "tasks/dataset.h"
#include "tasks/label_map.h"
#include "tasks/metrics.h"
#include "tasks/squad_metrics.h"
#include "tasks/task.h"

namespace fp8q {

// What a model answered. Lists hold one entry per example, or none where the kind of task has no
// such thing.
struct Answers {
  // Label tasks.
  std::vector<double> values;              // the class, or the number
  std::vector<std::vector<float>> logits;  // in the model's order; of embeddings, their cosine

  // Span tasks.
  struct SpanAnswer {
    AnswerScore score;
    // Of SQuAD v2.0: the score of "no answer" over that of the best span, and what that span is
    // worth.
    double null_difference = 0;
    AnswerScore best_span;
  };
  std::vector<SpanAnswer> spans;

  // Answers as people read them, for comparing two models: a label or a part of a text. None for
  // numbers.
  std::vector<std::string> texts;
  // Where the score is the share of right answers: whether this one is.
  std::vector<bool> right;
  std::vector<std::string> notes;
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const = 0;
  // Whether a run keeps means over tokens (RunSettings::mean_tokens).
  virtual bool takes_means() const { return false; }
  // From a run over sequences(). Error (bad_model): outputs that are not finite. Error (bad_data):
  // the model's outputs or labels do not fit the task.
  virtual Answers answers(const Sequences& sequences, const RunResult& run,
                          const ModelConfig& config) const = 0;
  // On examples given by index, with repetition.
  virtual TaskScore score(const Answers& answers, std::span<const uint32_t> sample) const = 0;
  // Further figures, on all examples.
  virtual std::vector<std::pair<std::string, double>> details(const Answers&) const { return {}; }
  // The right answer as people read it.
  virtual std::string gold(size_t example) const = 0;
};

struct EvaluatorSettings {
  WindowSettings windows;  // their max_length counts nothing: sequences() is told
  SpanSettings spans;
  double null_threshold = 0;  // SQuAD v2.0: no answer where null_difference is above this
  bool embeddings = false;    // the model gives hidden states only, compared by cosine
};

// The evaluator must not outlive task and examples. Error (bad_data): embeddings cannot do the
// task.
std::unique_ptr<Evaluator> make_evaluator(const Task& task, std::span<const Example> examples,
                                          const EvaluatorSettings& settings);

}  // namespace fp8q
