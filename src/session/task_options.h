// Interprets TaskOptions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fp8q/task_options.h"
#include "tasks/task.h"
#include "tasks/user_task.h"

namespace fp8q {

// Returns the table of --task text. Throws an Error (usage) if no file is named.
UserTask user_table(const TaskOptions& options);

// Returns the names and values of the options on which answers to a task's examples depend. Files
// that are valid for these options only store them. Split and limit are not included, because they
// choose examples.
std::vector<std::pair<std::string, std::string>> answering_options(const TaskOptions& options,
                                                                   const Task& task);

}  // namespace fp8q
