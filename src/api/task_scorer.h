// A task's data made ready once, for scoring many variants of one model on it.
#pragma once

#include "api/task_inputs.h"
#include "evaluate/scorer.h"
#include "tasks/model_config.h"

namespace fp8q {

class TaskScorer {
 public:
  // `options` as for evaluate(); its models and baseline count nothing.
  TaskScorer(const Bundle& bundle, EvaluateOptions options, std::vector<std::string>& notes,
             const HoldoutSide& side = {});

  const Scorer& scorer() const { return scorer_; }  // of engines for variants of the model
  const Task& task() const { return inputs_.task(); }
  const Dataset& data() const { return inputs_.data(); }
  // What a model's score depends on beside the model and the engine: token ids, gold answers, and
  // what the outputs mean. As text, for checkpoints.
  std::string fingerprint() const;

 private:
  EvaluateOptions options_;
  TaskInputs inputs_;
  const PreparedInputs& prepared_;
  ModelConfig config_;
  Scorer scorer_;
};

}  // namespace fp8q
