#include "tasks/user_task.h"

#include <algorithm>

#include "base/error.h"

namespace fp8q {
namespace {

std::vector<MetricKind> metrics_of(const UserTask& user, bool numbers) {
  std::vector<MetricKind> metrics;
  for (const std::string& name : user.metrics) {
    const auto metric = find_metric(name);
    if (!metric)
      fail(ErrorCode::usage, "there is no metric \"{}\"; the metrics are {}", printable(name),
           metric_names());
    metrics.push_back(*metric);
  }
  if (!metrics.empty()) return metrics;
  if (numbers) return {MetricKind::pearson, MetricKind::spearman};
  return {MetricKind::accuracy};
}

std::vector<std::vector<std::string>> classes_of(const ModelConfig& config, size_t outputs) {
  const std::vector<std::string>& labels = config.labels();
  std::vector<std::vector<std::string>> classes;
  for (size_t c = 0; c < outputs; ++c)
    classes.push_back({c < labels.size() ? labels[c] : std::to_string(c)});
  return classes;
}

}  // namespace

Task make_user_text(const UserTask& user) {
  Task task;
  task.name = kUserTask;
  task.text_columns = {user.text_column};
  if (!user.pair_column.empty()) task.pair_columns = {user.pair_column};
  return task;
}

Task make_user_task(const UserTask& user, const ModelConfig& config, size_t outputs) {
  const bool one_number = outputs <= 1;
  Task task = make_user_text(user);
  task.label_columns = {user.label_column};
  task.metrics = metrics_of(user, one_number);
  const auto numbers = std::ranges::count_if(task.metrics, is_correlation);
  const bool regression = numbers > 0;
  if (regression && static_cast<size_t>(numbers) != task.metrics.size())
    fail(ErrorCode::usage, "--metric {}: some are of classes, others of numbers; choose one kind",
         fmt::join(user.metrics, ","));
  if (regression != one_number)
    fail(ErrorCode::usage, "--metric {}: is of {}, but the model gives {}",
         metric_name(task.metrics.front()), regression ? "numbers" : "classes",
         one_number ? "one number" : fmt::format("{} logits", outputs));
  if (regression) return task;
  task.classes = classes_of(config, outputs);
  if (outputs != 2 && std::ranges::find(task.metrics, MetricKind::f1) != task.metrics.end())
    fail(ErrorCode::usage, "--metric f1 is of two classes, but the model has {}; take macro_f1",
         outputs);
  return task;
}

}  // namespace fp8q
