#include "fp8q/evaluate.h"

#include "api/score_models.h"
#include "tasks/task.h"
#include "tasks/user_task.h"

namespace fp8q {

std::vector<EvaluateResult> evaluate(const EvaluateOptions& options,
                                     const ProgressCallback& progress) {
  std::vector<EvaluateResult> results;
  for (ModelScore& score : score_models(options, progress))
    results.push_back(std::move(score.result));
  return results;
}

std::vector<std::string> task_name_list() {
  std::vector<std::string> names;
  for (const auto& task : all_tasks()) names.push_back(task.name);
  names.emplace_back(kUserTask);
  return names;
}

std::vector<std::string> metric_name_list() {
  return {
#define FP8Q_METRIC(name, title) #name,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
  };
}

}  // namespace fp8q
