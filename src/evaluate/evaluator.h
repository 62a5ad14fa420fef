// An Evaluator implements what differs between kinds of tasks: the sequences a model reads, what
// its outputs answer, and how the answers are scored. Running models, intervals and comparisons are
// the same for all kinds and are in run.h and score.h.
#pragma once

#include <compare>
#include <memory>
#include <optional>
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

// Holds the answers of a model. Lists hold one entry per example, or are empty if they do not apply
// to the kind of task.
struct Answers {
  // The next two are for label tasks.
  std::vector<double> values;              // the class, or the number
  std::vector<std::vector<float>> logits;  // in the model's order; the cosine for embeddings

  // The next members are for span tasks.
  struct SpanAnswer {
    AnswerScore score;
    // These two are for SQuAD v2.0: the score of "no answer" minus that of the best span, and how
    // good that span is.
    double null_difference = 0;
    AnswerScore best_span;
  };
  std::vector<SpanAnswer> spans;

  // These are the answers as people read them, for comparing two models: a label or a part of a
  // text. The list is empty for numbers.
  std::vector<std::string> texts;
  // Says whether each answer is right, if the score is the share of right answers.
  std::vector<bool> right;
  std::vector<std::string> notes;
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual Sequences sequences(const Tokenizer& tokenizer, size_t max_length) const = 0;
  // Returns how a run pools outputs per token (RunSettings::pooling).
  virtual std::optional<RowFunction> pooling() const { return std::nullopt; }
  // Returns the answers of a run over sequences(). Throws an Error (bad_model) if outputs are not
  // finite, or an Error (bad_data) if the model's outputs or labels do not fit the task.
  virtual Answers answers(const Sequences& sequences, const RunResult& run,
                          const ModelConfig& config) const = 0;
  // Returns the score on the examples with these indices, which may repeat.
  virtual TaskScore score(const Answers& answers, std::span<const uint32_t> sample) const = 0;
  // Returns further figures on all examples.
  virtual std::vector<std::pair<std::string, double>> details(const Answers&) const { return {}; }
  // Returns the right answer as people read it.
  virtual std::string gold(size_t example) const = 0;
};

// Says which output of a model answers a label task, and what it is.
struct AnsweringOutput {
  std::string name;        // name of the graph output; empty: the first that has a row per example
  bool embedding = false;  // it is compared by cosine; otherwise it holds logits
  // Embeddings of models that give hidden states only are pooled this way.
  std::optional<RowFunction> pooling;
  std::string note;  // tells users what the output is; empty for logits
  friend auto operator<=>(const AnsweringOutput&, const AnsweringOutput&) = default;
};

struct EvaluatorSettings {
  WindowSettings windows;  // max_length is ignored; sequences() gets it
  SpanSettings spans;
  double null_threshold = 0;  // SQuAD v2.0: no answer if null_difference is above this
  AnsweringOutput output;     // for label tasks
};

// The evaluator must not outlive task and examples. Throws an Error (bad_data) if embeddings cannot
// do the task.
std::unique_ptr<Evaluator> make_evaluator(const Task& task, std::span<const Example> examples,
                                          const EvaluatorSettings& settings);

}  // namespace fp8q
