// The tasks fp8q can score: what their files look like, what their answers mean and how they are
// measured.
//
// A task is one row of tasks.def; nothing else knows tasks by name. A gold answer is a class index
// or, for a task without classes, a number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

enum class MetricKind {
#define FP8Q_METRIC(name, title) name,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
};

std::string_view metric_name(MetricKind kind);   // "f1", the key in JSON
std::string_view metric_title(MetricKind kind);  // "F1", for tables

struct Task {
  std::string name;
  std::string folder;
  std::string dev;
  std::string test;
  std::vector<std::string> fixed_columns;  // of files without a header line
  // What header lines call these columns; the first name is the one shown.
  std::vector<std::string> text_columns;
  std::vector<std::string> pair_columns;  // empty for single sentences
  std::vector<std::string> label_columns;
  std::vector<std::vector<std::string>>
      classes;  // names of each class; empty: a number is predicted
  std::vector<MetricKind> metrics;

  bool has_pair() const { return !pair_columns.empty(); }
  bool is_regression() const { return classes.empty(); }
  // Logits that a model for this task has.
  size_t outputs() const { return is_regression() ? 1 : classes.size(); }
  // The class that is called so, whatever its spelling in case, '-', '_' and ' '.
  std::optional<size_t> class_of(std::string_view name) const;
  // "0 = negative, 1 = positive", or "a number"
  std::string describe_labels() const;
  // The stem of a split's file: "train", "dev", "test".
  const std::string& stem(const std::string& split) const;
};

std::span<const Task> all_tasks();
std::string task_names();  // "sst2, cola, ..."

const Task* find_task(std::string_view name);
// Fails with ErrorCode::usage and the names there are.
const Task& require_task(std::string_view name);

}  // namespace fp8q
