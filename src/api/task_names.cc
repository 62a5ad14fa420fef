#include "fp8q/task_options.h"

#include "tasks/task.h"
#include "tasks/user_task.h"

namespace fp8q {

std::vector<std::string> task_name_list() {
  std::vector<std::string> names;
  for (const auto& task : all_tasks()) names.push_back(task.name);
  names.emplace_back(kUserTask);
  return names;
}

std::vector<std::string> metric_name_list() {
  std::vector<std::string> names;
  for (const std::string_view name : all_metric_names()) names.emplace_back(name);
  return names;
}

}  // namespace fp8q
