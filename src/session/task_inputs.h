// Holds the data of one evaluation, as the models of the call read it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/part.h"
#include "evaluate/evaluator.h"
#include "fp8q/task_options.h"
#include "session/bundle.h"
#include "tasks/holdout.h"
#include "tasks/model_config.h"

namespace fp8q {

// Says which examples of a task are used, and how models read them.
struct TaskRequest {
  std::optional<fs::path> tokenizer, config;  // override the files beside the models
  TaskOptions task;
  size_t shard = 1;  // number of the shard, from 1 to `shards`
  size_t shards = 1;
  HoldoutSide side;  // the side that is split into shards
};

// Returns the config of a model (side_files.h), with the labels that the user named instead.
ModelConfig config_for(const Bundle& bundle, const TaskRequest& request);

// Holds what a model reads and how its outputs are judged.
struct PreparedInputs {
  std::unique_ptr<Evaluator> evaluator;
  Sequences sequences;
  std::string tokenizer_sha256;
};

// Makes token ids once per tokenizer, since converted models share the tokenizer of their source.
class TaskInputs {
 public:
  // Reads the data. `first` is the model that says what the labels of --task text mean.
  TaskInputs(TaskRequest request, const Bundle& first, std::vector<std::string>& notes);
  TaskInputs(const TaskInputs&) = delete;
  TaskInputs& operator=(const TaskInputs&) = delete;

  const Task& task() const { return task_; }
  const Dataset& data() const { return data_; }  // only the part's examples
  const Part& part() const { return part_; }

  // Throws an Error (bad_data) if nothing tells what the model's outputs mean for the task.
  const PreparedInputs& prepared(const Bundle& bundle, std::vector<std::string>& notes);
  ModelConfig config(const Bundle& bundle) const { return config_for(bundle, request_); }

 private:
  // A key has the tokenizer, the length, and the output that answers.
  using Key = std::tuple<std::string, size_t, AnsweringOutput>;

  TaskRequest request_;
  Task task_;
  Dataset data_;
  Part part_;
  std::map<Key, PreparedInputs> prepared_;
};

}  // namespace fp8q
