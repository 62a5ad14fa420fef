// A task's data made ready once, for scoring many variants of one model on it.
#pragma once

#include "api/task_inputs.h"
#include "evaluate/score.h"
#include "tasks/model_config.h"

namespace fp8q {

class TaskScorer {
 public:
  // `options` as for evaluate(); its models and baseline count nothing.
  TaskScorer(const Bundle& bundle, EvaluateOptions options, std::vector<std::string>& notes,
             const HoldoutSide& side = {});

  // Of an engine for a variant of the bundle's model: answers, score and intervals.
  Scored scored(Engine& engine, const Progress& progress = nullptr) const;
  // The score alone, in points.
  double score(Engine& engine) const;

  const Task& task() const { return inputs_.task(); }
  const Dataset& data() const { return inputs_.data(); }
  size_t examples() const { return inputs_.data().examples.size(); }
  // What a model's score depends on beside the model and the engine: token ids, gold answers, and
  // what the outputs mean. As text, for checkpoints.
  std::string fingerprint() const;

 private:
  Answers answers(Engine& engine, const Progress& progress) const;

  EvaluateOptions options_;
  TaskInputs inputs_;
  const PreparedInputs& prepared_;
  ModelConfig config_;
};

}  // namespace fp8q
