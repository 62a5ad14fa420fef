// Describes the tasks that fp8q can score: what their files look like, what their answers mean and
// how they are measured.
//
// A task is one row of tasks.def. Nothing else knows tasks by name. The gold answer of a label task
// is a class index or, if there are no classes, a number. The gold answer of a span task is a list
// of texts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

enum class MetricKind {
#define FP8Q_METRIC(name) name,
#include "tasks/metrics.def"
#undef FP8Q_METRIC
};

std::span<const std::string_view> all_metric_names();  // in the order of metrics.def
std::string_view metric_name(MetricKind kind);         // "f1", the key in JSON
std::optional<MetricKind> find_metric(std::string_view name);
std::string metric_names();            // "accuracy, f1, ..."
bool is_correlation(MetricKind kind);  // for numbers; the others are for classes

enum class TaskKind {
  labels,  // a class or a number for a text or a pair of texts, from tables
  spans,   // the part of a text that answers a question, from SQuAD's JSON
};

struct Task {
  TaskKind kind = TaskKind::labels;
  std::string name;
  std::string folder;
  // These are the names of the file of each split, the official one first. A list is empty if there
  // is no file.
  std::vector<std::string> train, dev, test;
  size_t max_length = 128;        // default number of tokens per sequence
  bool has_unanswerable = false;  // span tasks: some questions have no answer (SQuAD v2.0)
  bool has_short_rows = false;  // official files have rows with missing columns, which are left out
  std::vector<std::string> fixed_columns;  // columns of files without a header line
  // Header lines give these names to the columns. The first name is shown to users.
  std::vector<std::string> text_columns;
  std::vector<std::string> pair_columns;  // empty for single sentences
  std::vector<std::string> label_columns;
  std::vector<std::vector<std::string>>
      classes;  // names of each class; empty: a number is predicted
  std::vector<MetricKind> metrics;

  bool has_pair() const { return kind == TaskKind::spans || !pair_columns.empty(); }
  bool is_regression() const { return kind == TaskKind::labels && classes.empty(); }
  // Returns the number of logits that a model for this task has.
  size_t outputs() const { return is_regression() ? 1 : classes.size(); }
  // Returns the class with this name. If no name is equal, differences in case, '-', '_' and ' '
  // are ignored.
  std::optional<size_t> class_of(std::string_view name) const;
  // Returns a text such as "0 = negative, 1 = positive", or "a number".
  std::string describe_labels() const;
  // Returns the names of the file of a split ("train", "dev", "test").
  const std::vector<std::string>& files(std::string_view split) const;
};

std::span<const Task> all_tasks();
std::string task_names();  // "sst2, cola, ..."

const Task* find_task(std::string_view name);
// Fails with ErrorCode::usage and the list of names if there is no such task.
const Task& require_task(std::string_view name);

}  // namespace fp8q
