#include "session/task_options.h"

#include "base/error.h"
#include "base/file.h"

namespace fp8q {

UserTask user_table(const TaskOptions& options) {
  if (!options.data || is_folder(*options.data))
    fail(ErrorCode::usage, "--task {} needs --data FILE, a .tsv with column names or a .jsonl",
         kUserTask);
  const TableOptions& table = options.table;
  return {.text_column = table.text_column,
          .pair_column = table.pair_column,
          .label_column = table.label_column,
          .metrics = table.metrics};
}

std::vector<std::pair<std::string, std::string>> answering_options(const TaskOptions& options,
                                                                   const Task& task) {
  const SpanOptions& spans = options.spans;
  const TableOptions& table = options.table;
  return {{"--max-length", std::to_string(options.max_length.value_or(task.max_length))},
          {"--doc-stride", std::to_string(spans.doc_stride)},
          {"--n-best", std::to_string(spans.best)},
          {"--max-answer-length", std::to_string(spans.max_answer_tokens)},
          {"--null-threshold", fmt::format("{}", spans.null_threshold)},
          {"--text-column", table.text_column},
          {"--pair-column", table.pair_column},
          {"--label-column", table.label_column},
          {"--labels", fmt::format("{}", fmt::join(options.labels, ","))}};
}

}  // namespace fp8q
