// Declares --task and the options that describe its data. They are the same for every command that
// has them.
#pragma once

#include <vector>

#include "fp8q/task_options.h"
#include "tools/fp8q/command_line.h"

namespace fp8q::cli {

enum class TaskUse {
  scores,         // --task is required
  scores_if_any,  // --task is optional
  text,           // text is only run: no --split, --limit, --labels, metrics, or ways to answer
};

class TaskArguments {
 public:
  // Declares the options on the command, and returns --task. `options` must live as long as the
  // command.
  Option add(Command& command, TaskOptions& options, TaskUse use);
  // Throws an Error (usage) if an option is given that the task does not use.
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
