// What describes a task and its data: taken by every command that scores a model on examples, or
// runs text of a task through it.
#pragma once

#include "fp8q/common.h"

namespace fp8q {

// How questions are answered (tasks squad and squad2).
struct SpanOptions {
  size_t doc_stride = 128;        // tokens that neighboring windows over a text share
  size_t best = 20;               // starts and ends considered per window
  size_t max_answer_tokens = 30;  // of an answer
  double null_threshold = 0;      // squad2: no answer where it scores better by more than this
};

// Where a table of the user's has what (task text).
struct TableOptions {
  std::string text_column = "text";
  std::string pair_column;  // empty: single texts
  std::string label_column = "label";
  std::vector<std::string> metrics;  // empty: accuracy, or Pearson and Spearman for one output
};

// Text that is run and not scored follows from the name, the data, the length and the columns of
// texts; of questions it is windows that share nothing.
struct TaskOptions {
  // Empty: none is scored, and text is of the task that config.json's finetuning_task names.
  std::string name;
  std::string split;  // empty: "dev"; text that is not scored is training text
  std::optional<fs::path> data;
  std::optional<size_t> limit;       // only the first examples
  std::optional<size_t> max_length;  // tokens per sequence; empty: 128, for squad and squad2 384
  SpanOptions spans;
  TableOptions table;
};

std::vector<std::string> task_name_list();
std::vector<std::string> metric_name_list();  // of TableOptions::metrics

}  // namespace fp8q
