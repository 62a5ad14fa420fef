// Defines the options that describe a task and its data. They belong to every command that scores a
// model on examples or runs the text of a task through it.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

// Says how questions are answered (tasks squad and squad2).
struct SpanOptions {
  size_t doc_stride = 128;        // tokens that neighboring windows of a text share
  size_t best = 20;               // number of starts and of ends considered per window
  size_t max_answer_tokens = 30;  // length limit of an answer
  double null_threshold = 0;      // squad2: answer nothing if that scores better by more than this
};

// Names the columns of a user's table (task text).
struct TableOptions {
  std::string text_column = "text";
  std::string pair_column;  // empty: single texts
  std::string label_column = "label";
  std::vector<std::string> metrics;  // empty: accuracy, or Pearson and Spearman for one output
};

// Text that is run but not scored depends on the name, the data, the length and the text columns.
// For questions, it is cut into windows that do not overlap.
struct TaskOptions {
  // If empty, no task is scored, and text comes from the task that config.json's finetuning_task
  // names.
  std::string name;
  std::string split;  // empty: "dev"; text that is not scored comes from the training split
  std::optional<fs::path> data;
  std::optional<size_t> limit;       // use only this many examples, the first ones
  std::optional<size_t> max_length;  // tokens per sequence; empty: 128, or 384 for squad and squad2
  // If empty, config.json's id2label or label2id tells them.
  std::vector<std::string> labels;  // label of each output of the model, in order
  SpanOptions spans;
  TableOptions table;
};

std::vector<std::string> task_name_list();
std::vector<std::string> metric_name_list();  // choices for TableOptions::metrics

}  // namespace fp8q
