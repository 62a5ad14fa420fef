// --task and the options that describe its data: the same ones for every command that has them.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "fp8q/task_options.h"

namespace fp8q::cli {

enum class TaskUse {
  scores,         // --task is required
  scores_if_any,  // --task is not
  text,           // only run: no --split, --limit, labels, metrics, or ways to answer
};

class TaskArguments {
 public:
  // Declares them on the command. `options` must live as long as it.
  void add(CLI::App& command, TaskOptions& options, TaskUse use);
  // Error (usage): an option is given for which the task has no use.
  void check() const;

 private:
  void add_scoring(CLI::App& command);
  void add_spans(CLI::App& command);
  void add_table(CLI::App& command, TaskUse use);

  TaskOptions* options_ = nullptr;
  CLI::Option* task_ = nullptr;
  std::vector<CLI::Option*> of_spans_;
  std::vector<CLI::Option*> of_tables_;
};

}  // namespace fp8q::cli
