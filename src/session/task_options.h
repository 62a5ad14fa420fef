// TaskOptions, read.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fp8q/task_options.h"
#include "tasks/task.h"
#include "tasks/user_task.h"

namespace fp8q {

// Of --task text. Error (usage): no file is named.
UserTask user_table(const TaskOptions& options);

// The options on which answers to a task's examples depend, by name with what they are; for files
// that are of use to the same ones only. Split and limit are not among them: they choose examples.
std::vector<std::pair<std::string, std::string>> answering_options(const TaskOptions& options,
                                                                   const Task& task);

}  // namespace fp8q
