#include "tasks/task.h"

#include <algorithm>

#include "base/assert.h"
#include "base/error.h"

namespace fp8q {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

constexpr std::string_view kMetricNames[] = {
#define FP8Q_METRIC(name, title) #name,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
};
constexpr std::string_view kMetricTitles[] = {
#define FP8Q_METRIC(name, title) title,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
};

// A row of tasks.def as it stands there.
struct Row {
  const char *name, *folder, *dev, *test, *fixed, *text, *pair, *label, *classes, *metrics;
};

Task make_task(const Row& row) {
  Task task{.name = row.name,
            .folder = row.folder,
            .dev = row.dev,
            .test = row.test,
            .fixed_columns = split(row.fixed, ','),
            .text_columns = split(row.text, '|'),
            .pair_columns = split(row.pair, '|'),
            .label_columns = split(row.label, '|'),
            .classes = {},
            .metrics = {}};
  for (const std::string& names : split(row.classes, ','))
    task.classes.push_back(split(names, '|'));
  for (const std::string& name : split(row.metrics, '|')) {
    const auto found = std::find(std::begin(kMetricNames), std::end(kMetricNames), name);
    FP8Q_ASSERT(found != std::end(kMetricNames));
    task.metrics.push_back(static_cast<MetricKind>(found - std::begin(kMetricNames)));
  }
  return task;
}

const std::vector<Task>& task_table() {
  static const std::vector<Task> table = {
#define FP8Q_TASK(name, folder, dev, test, fixed, text, pair, label, classes, metrics) \
  make_task({#name, folder, dev, test, fixed, text, pair, label, classes, metrics}),
#include "tasks/tasks.def"
#undef FP8Q_TASK
  };
  return table;
}

std::string normalized_label(std::string_view label) {
  std::string out;
  for (char c : label) {
    if (c == '-' || c == ' ') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    out += c;
  }
  return out;
}

}  // namespace

std::string_view metric_name(MetricKind kind) { return kMetricNames[static_cast<size_t>(kind)]; }
std::string_view metric_title(MetricKind kind) { return kMetricTitles[static_cast<size_t>(kind)]; }

std::optional<size_t> Task::class_of(std::string_view label) const {
  const std::string wanted = normalized_label(label);
  for (size_t c = 0; c < classes.size(); ++c)
    if (std::find(classes[c].begin(), classes[c].end(), wanted) != classes[c].end()) return c;
  return std::nullopt;
}

std::string Task::describe_labels() const {
  if (is_regression()) return "a number";
  std::string out;
  for (size_t c = 0; c < classes.size(); ++c)
    out += fmt::format("{}{} = {}", c ? ", " : "", c, classes[c][0]);
  return out;
}

const std::string& Task::stem(const std::string& split_name) const {
  if (split_name == "dev") return dev;
  if (split_name == "test") return test;
  return split_name;
}

std::span<const Task> all_tasks() { return task_table(); }

std::string task_names() {
  std::string names;
  for (const Task& task : all_tasks()) names += (names.empty() ? "" : ", ") + task.name;
  return names;
}

const Task* find_task(std::string_view name) {
  for (const Task& task : all_tasks())
    if (task.name == name) return &task;
  return nullptr;
}

const Task& require_task(std::string_view name) {
  const Task* task = find_task(name);
  if (!task)
    fail(ErrorCode::usage, "there is no task \"{}\"; the tasks are {}", printable(name),
         task_names());
  return *task;
}

}  // namespace fp8q
