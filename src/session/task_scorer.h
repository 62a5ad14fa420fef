// Prepares a task's data once, for scoring many variants of one model on it.
#pragma once

#include "evaluate/scorer.h"
#include "session/task_inputs.h"
#include "tasks/model_config.h"

namespace fp8q {

class TaskScorer {
 public:
  struct Settings {
    size_t batch = 32;  // sequences per run of an engine
    uint64_t seed = 1;  // seed of the bootstrap
  };
  TaskScorer(const Bundle& bundle, const TaskRequest& request, const Settings& settings,
             std::vector<std::string>& notes);

  const Scorer& scorer() const { return scorer_; }  // scores engines of model variants
  const Task& task() const { return inputs_.task(); }
  const Dataset& data() const { return inputs_.data(); }
  // Returns what a score depends on besides the model and the engine: token ids, gold answers, and
  // what the outputs mean. The text is for checkpoints.
  std::string fingerprint() const;

 private:
  TaskOptions options_;
  TaskInputs inputs_;
  const PreparedInputs& prepared_;
  ModelConfig config_;
  Scorer scorer_;
};

}  // namespace fp8q
