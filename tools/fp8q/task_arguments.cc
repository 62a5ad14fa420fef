#include "tools/fp8q/task_arguments.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "base/error.h"

namespace fp8q::cli {
namespace {

void refuse_unused(const std::vector<Option>& options, const std::string& task,
                   std::initializer_list<std::string_view> tasks) {
  if (std::ranges::find(tasks, task) != tasks.end()) return;
  for (const Option& option : options)
    if (option.given())
      fail(ErrorCode::usage, "{} is for --task {}; task {} has no use for it", option.name(),
           fmt::join(tasks, " and "), task);
}

}  // namespace

Option TaskArguments::add(Command& command, TaskOptions& options, TaskUse use) {
  options_ = &options;
  task_ = command
              .option("--task", &options.name,
                      use == TaskUse::text
                          ? "Take the training text of this task (default: config.json's)"
                          : fmt::format("{}", fmt::join(task_name_list(), ", ")))
              .one_of(task_name_list())
              .type_name("NAME");
  if (use == TaskUse::scores) task_.required();
  command
      .option("--data", &options.data,
              fmt::format("GLUE or SQuAD folder or file{} (default: $FP8Q_DATA, ./glue_data, "
                          "built-in sample)",
                          use == TaskUse::scores ? "" : ", or one sentence a line"))
      .type_name("PATH");
  command
      .option("--max-length", &options.max_length,
              "Tokens per example at most (default: 128; squad, squad2: windows of 384)")
      .range(3, 100000)
      .type_name("N");
  if (use != TaskUse::text) {
    add_scoring(command);
    add_spans(command);
  }
  add_table(command, use);
  return task_;
}

void TaskArguments::add_scoring(Command& command) {
  command.option("--split", &options_->split, "train, dev or test (default: dev)")
      .one_of({"train", "dev", "test"})
      .needs(task_)
      .type_name("NAME");
  command.option("--limit", &options_->limit, "Score only the first N examples")
      .range(1, 100000000)
      .needs(task_)
      .type_name("N");
  command
      .option("--labels", &options_->labels,
              "Label of each output of the model, in order (default: config.json's id2label)")
      .comma_separated()
      .needs(task_)
      .type_name("NAMES");
}

void TaskArguments::add_spans(Command& command) {
  SpanOptions& spans = options_->spans;
  const std::string group = "Questions (squad, squad2)";
  const auto count = [&](const char* name, size_t& value, const char* help, int least) {
    of_spans_.push_back(command.option(name, &value, help)
                            .range(least, 100000)
                            .needs(task_)
                            .group(group)
                            .type_name("N")
                            .show_default());
  };
  count("--doc-stride", spans.doc_stride, "Tokens that neighboring windows of a text share", 0);
  count("--n-best", spans.best, "Starts and ends considered per window", 1);
  count("--max-answer-length", spans.max_answer_tokens, "Tokens of an answer at most", 1);
  of_spans_.push_back(
      command
          .option("--null-threshold", &spans.null_threshold,
                  "squad2: no answer where it scores better than the best one by more than this")
          .needs(task_)
          .group(group)
          .type_name("LOGITS")
          .show_default());
}

void TaskArguments::add_table(Command& command, TaskUse use) {
  TableOptions& table = options_->table;
  const std::string group = "Tables (text)";
  const auto column = [&](const char* name, std::string& value, const char* help) {
    of_tables_.push_back(command.option(name, &value, help)
                             .needs(task_)
                             .group(group)
                             .type_name("NAME")
                             .show_default());
  };
  column("--text-column", table.text_column, "Column, or member of a JSON line, with the text");
  column("--pair-column", table.pair_column, "With the second text of pairs");
  if (use == TaskUse::text) return;
  column("--label-column", table.label_column,
         "With the label: a name of config.json's id2label, its number, or a score");
  of_tables_.push_back(
      command
          .option("--metric", &table.metrics,
                  fmt::format("{}; several are averaged (default: accuracy, or pearson,spearman "
                              "where the model gives one number)",
                              fmt::join(metric_name_list(), ", ")))
          .one_of(metric_name_list())
          .comma_separated()
          .needs(task_)
          .group(group)
          .type_name("NAMES"));
}

void TaskArguments::check() const {
  refuse_unused(of_spans_, options_->name, {"squad", "squad2"});
  refuse_unused(of_tables_, options_->name, {"text"});
}

}  // namespace fp8q::cli
