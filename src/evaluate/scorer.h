// Scores engines on examples that are ready to run. All engines get the same sequences and answers.
#pragma once

#include "evaluate/score.h"
#include "tasks/model_config.h"

namespace fp8q {

class Scorer {
 public:
  // Holds the inputs that all engines have in common. They must outlive the scorer.
  struct Inputs {
    const Evaluator& evaluator;
    const Sequences& sequences;  // sequences of the evaluator
    const ModelConfig& config;   // says what the outputs mean
    size_t batch = 32;           // sequences per run of an engine; no score depends on it
    uint64_t seed = 1;           // seed of the bootstrap
  };
  explicit Scorer(const Inputs& inputs) : inputs_(inputs) {}

  // Returns answers, score and intervals.
  Scored scored(Engine& engine, const Progress& progress = nullptr) const;
  // Returns the score alone, in points.
  double score(Engine& engine) const;

  size_t examples() const { return inputs_.sequences.examples(); }

 private:
  Answers answers(Engine& engine, const Progress& progress) const;

  Inputs inputs_;
};

}  // namespace fp8q
