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
#define FP8Q_METRIC(name) #name,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
};

// Holds a row of tasks.def, unchanged.
struct LabelRow {
  const char *name, *folder, *dev, *test, *fixed, *text, *pair, *label, *classes, *metrics;
  bool has_short_rows;
};
struct SpanRow {
  const char *name, *folder, *train, *dev;
  bool has_unanswerable;
};

// SQuAD has been evaluated with this length since BERT.
constexpr size_t kSpanMaxLength = 384;

Task make_task(const SpanRow& row) {
  return {.kind = TaskKind::spans,
          .name = row.name,
          .folder = row.folder,
          .train = split(row.train, '|'),
          .dev = split(row.dev, '|'),
          .max_length = kSpanMaxLength,
          .has_unanswerable = row.has_unanswerable};
}

Task make_task(const LabelRow& row) {
  Task task{.name = row.name,
            .folder = row.folder,
            .train = {"train.tsv"},
            .dev = {std::string(row.dev) + ".tsv"},
            .test = {std::string(row.test) + ".tsv"},
            .has_short_rows = row.has_short_rows,
            .fixed_columns = split(row.fixed, ','),
            .text_columns = split(row.text, '|'),
            .pair_columns = split(row.pair, '|'),
            .label_columns = split(row.label, '|'),
            .classes = {},
            .metrics = {}};
  for (const std::string& names : split(row.classes, ','))
    task.classes.push_back(split(names, '|'));
  for (const std::string& name : split(row.metrics, '|')) {
    const auto metric = find_metric(name);
    FP8Q_ASSERT(metric.has_value());
    task.metrics.push_back(*metric);
  }
  return task;
}

const std::vector<Task>& task_table() {
  static const std::vector<Task> table = {
#define FP8Q_TASK(name, folder, dev, test, fixed, text, pair, label, classes, metrics, short_rows) \
  make_task(                                                                                       \
      LabelRow{#name, folder, dev, test, fixed, text, pair, label, classes, metrics, short_rows}),
#define FP8Q_SPAN_TASK(name, folder, train, dev, has_unanswerable) \
  make_task(SpanRow{#name, folder, train, dev, has_unanswerable}),
#include "tasks/tasks.def"
#undef FP8Q_SPAN_TASK
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

std::span<const std::string_view> all_metric_names() { return kMetricNames; }

std::string_view metric_name(MetricKind kind) { return kMetricNames[static_cast<size_t>(kind)]; }

std::optional<MetricKind> find_metric(std::string_view name) {
  const auto found = std::find(std::begin(kMetricNames), std::end(kMetricNames), name);
  if (found == std::end(kMetricNames)) return std::nullopt;
  return static_cast<MetricKind>(found - std::begin(kMetricNames));
}

std::string metric_names() {
  return fmt::format("{}", fmt::join(std::begin(kMetricNames), std::end(kMetricNames), ", "));
}

bool is_correlation(MetricKind kind) {
  return kind == MetricKind::pearson || kind == MetricKind::spearman;
}

std::optional<size_t> Task::class_of(std::string_view label) const {
  const auto class_with = [&](auto&& matches) -> std::optional<size_t> {
    for (size_t c = 0; c < classes.size(); ++c)
      if (std::any_of(classes[c].begin(), classes[c].end(), matches)) return c;
    return std::nullopt;
  };
  if (const auto c = class_with([&](const auto& known) { return known == label; })) return c;
  const std::string wanted = normalized_label(label);
  return class_with([&](const auto& known) { return normalized_label(known) == wanted; });
}

std::string Task::describe_labels() const {
  if (kind == TaskKind::spans) return "a part of the text";
  if (is_regression()) return "a number";
  std::string out;
  for (size_t c = 0; c < classes.size(); ++c)
    out += fmt::format("{}{} = {}", c ? ", " : "", c, classes[c][0]);
  return out;
}

const std::vector<std::string>& Task::files(std::string_view split_name) const {
  if (split_name == "dev") return dev;
  return split_name == "test" ? test : train;
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
