// Scores engines on examples that are ready to run: the same sequences and answers for each.
#pragma once

#include "evaluate/score.h"
#include "tasks/model_config.h"

namespace fp8q {

class Scorer {
 public:
  // What all engines have in common; it must outlive the scorer.
  struct Inputs {
    const Evaluator& evaluator;
    const Sequences& sequences;  // of the evaluator
    const ModelConfig& config;   // what the outputs mean
    size_t batch = 32;           // sequences per run of an engine; no score depends on it
    uint64_t seed = 1;           // of the bootstrap
  };
  explicit Scorer(const Inputs& inputs) : inputs_(inputs) {}

  // Answers, score and intervals.
  Scored scored(Engine& engine, const Progress& progress = nullptr) const;
  // The score alone, in points.
  double score(Engine& engine) const;

  size_t examples() const { return inputs_.sequences.examples(); }

 private:
  Answers answers(Engine& engine, const Progress& progress) const;

  Inputs inputs_;
};

}  // namespace fp8q
