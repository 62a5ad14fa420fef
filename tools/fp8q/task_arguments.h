// --task and the options that describe its data: the same ones for every command that has them.
#pragma once

#include <vector>

#include "fp8q/task_options.h"
#include "tools/fp8q/command_line.h"

namespace fp8q::cli {

enum class TaskUse {
  scores,         // --task is required
  scores_if_any,  // --task is not
  text,           // only run: no --split, --limit, labels, metrics, or ways to answer
};

class TaskArguments {
 public:
  // Declares them on the command, and returns --task. `options` must live as long as it.
  Option add(Command& command, TaskOptions& options, TaskUse use);
  // Error (usage): an option is given for which the task has no use.
  void check() const;

 private:
  void add_scoring(Command& command);
  void add_spans(Command& command);
  void add_table(Command& command, TaskUse use);

  TaskOptions* options_ = nullptr;
  Option task_;
  std::vector<Option> of_spans_;
  std::vector<Option> of_tables_;
};

}  // namespace fp8q::cli
