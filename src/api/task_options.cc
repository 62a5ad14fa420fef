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
  return {
#define FP8Q_METRIC(name) #name,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
  };
}

}  // namespace fp8q
