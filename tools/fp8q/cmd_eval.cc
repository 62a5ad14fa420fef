// fp8q eval: scores models on a task, beside their FP32 source.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "fp8q/evaluate.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/eval_output.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

struct Options {
  EvaluateOptions evaluate;
  EvalOutput output;
  bool no_baseline = false;
  CLI::Option* shard = nullptr;
  CLI::Option* shard_output = nullptr;
  // Options that only some tasks have.
  std::vector<CLI::Option*> of_spans;
  std::vector<CLI::Option*> of_tables;
};

// Error (usage): an option is given that the task has not.
void refuse_unused(const std::vector<CLI::Option*>& given, const std::string& task,
                   std::initializer_list<std::string_view> tasks) {
  if (std::ranges::find(tasks, task) != tasks.end()) return;
  for (const CLI::Option* option : given)
    if (option->count() > 0)
      fail(ErrorCode::usage, "{} is for --task {}; task {} has no use for it", option->get_name(),
           fmt::join(tasks, " and "), task);
}

bool complete(EvaluateOptions& options) {
  if (!options.models.empty()) return false;
  const Workspace workspace = require_workspace("eval");
  options.models = {workspace.converted.empty() ? workspace.model : workspace.converted};
  if (!workspace.converted.empty() && options.use_baseline && !options.baseline)
    options.baseline = workspace.model;
  return true;
}

// Error (usage): what concerns the scores is given with --shard, or the other way round.
void check_shard_options(const Options& options) {
  if (options.shard->count() == 0 && options.shard_output->count() > 0)
    fail(ErrorCode::usage,
         "-o names the file of a --shard; scores are written by --json, answers by --predictions");
  if (const CLI::Option* given = options.output.given(); given && options.shard->count() > 0)
    fail(ErrorCode::usage, "{} is for all examples: give it to fp8q merge, which joins the shards",
         given->get_name());
}

std::string table_of(const EvaluateShardResult& r) {
  Table table({"evaluated", short_path(r.models.front().path.string())});
  for (size_t m = 1; m < r.models.size(); ++m)
    table.add({"", short_path(r.models[m].path.string())});
  for (const FileFacts& file : r.baselines) table.add({"baseline", short_path(file.path.string())});
  table.add(
      {"text",
       fmt::format("{} {}, {} examples, {} tokens ({})", r.task, r.split, r.examples, r.tokens,
                   r.data.builtin ? "built-in sample" : short_path(r.data.path.string()))});
  table.add({"shard", r.part});
  table.add({"answers", fmt::format("{} ({})", short_path(r.output.path.string()),
                                    human_bytes(r.output.bytes))});
  table.add({"time", fmt::format("{:.2f} s, {}", r.execution.elapsed_s, r.execution.description)});
  return table.str();
}

void run_shard(const EvaluateOptions& options, const Globals& globals) {
  const EvaluateShardResult result = evaluate_shard(options, make_progress(globals));
  print(globals, table_of(result));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

void run(Options& options, const Globals& globals) {
  EvaluateOptions& e = options.evaluate;
  refuse_unused(options.of_spans, e.task, {"squad", "squad2"});
  refuse_unused(options.of_tables, e.task, {"text"});
  check_shard_options(options);
  e.use_baseline = !options.no_baseline;
  e.predictions = options.output.predictions;
  const bool from_workspace = complete(e);
  std::vector<fs::path> files = e.models;
  if (e.data) files.push_back(*e.data);
  files.push_back(e.predictions);
  files.push_back(e.output);
  check_json_target(globals, files);
  const std::string model = short_path(e.models.front().string());
  if (options.shard->count() > 0) return run_shard(e, globals);
  const std::vector<EvaluateResult> results = evaluate(e, make_progress(globals));
  if (from_workspace) print(globals, fmt::format("model {} (from the workspace)\n", model));
  put_out(results, options.output, globals);
}

void add_span_options(CLI::App& command, Options& options) {
  SpanOptions& spans = options.evaluate.spans;
  const std::string group = "Questions (squad, squad2)";
  const auto count = [&](const char* name, size_t& value, const char* help, int least) {
    CLI::Option* option = command.add_option(name, value, help);
    option->check(CLI::Range(least, 100000))->type_name("N")->capture_default_str();
    options.of_spans.push_back(option->group(group));
  };
  count("--doc-stride", spans.doc_stride, "Tokens that neighbouring windows of a text share", 0);
  count("--n-best", spans.best, "Starts and ends considered per window", 1);
  count("--max-answer-length", spans.max_answer_tokens, "Tokens of an answer at most", 1);
  options.of_spans.push_back(
      command
          .add_option(
              "--null-threshold", spans.null_threshold,
              "squad2: no answer where it scores better than the best one by more than this")
          ->group(group)
          ->type_name("LOGITS")
          ->capture_default_str());
}

void add_table_options(CLI::App& command, Options& options) {
  TableOptions& table = options.evaluate.table;
  const auto column = [&](const char* name, std::string& value, const char* help) {
    CLI::Option* option = command.add_option(name, value, help);
    option->type_name("NAME")->capture_default_str();
    options.of_tables.push_back(option->group("Tables (text)"));
  };
  column("--text-column", table.text_column, "Column, or member of a JSON line, with the text");
  column("--pair-column", table.pair_column, "With the second text of pairs");
  column("--label-column", table.label_column,
         "With the label: a name of config.json's id2label, its number, or a score");
  options.of_tables.push_back(
      command
          .add_option(
              "--metric", table.metrics,
              fmt::format("{}; several are averaged (default: accuracy, or pearson,spearman "
                          "where the model gives one number)",
                          fmt::join(metric_name_list(), ", ")))
          ->check(CLI::IsMember(metric_name_list()))
          ->delimiter(',')
          ->group("Tables (text)")
          ->type_name("NAMES"));
}

}  // namespace

void add_eval(CLI::App& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  EvaluateOptions& e = options->evaluate;
  CLI::App& command = *program.add_subcommand("eval", "Score models on a task");
  command.add_option("MODEL", e.models,
                     "ONNX files or folders (default: the model converted last in this folder)");
  command.add_option("--task", e.task, fmt::format("{}", fmt::join(task_name_list(), ", ")))
      ->check(CLI::IsMember(task_name_list()))
      ->type_name("NAME")
      ->required();
  command.add_option("--split", e.split, "train, dev or test (default: dev)")
      ->check(CLI::IsMember({"train", "dev", "test"}))
      ->type_name("NAME");
  command
      .add_option(
          "--data", e.data,
          "GLUE or SQuAD folder or file (default: $FP8Q_DATA, ./glue_data, built-in sample)")
      ->type_name("PATH");
  command.add_option("--limit", e.limit, "Only the first N examples")
      ->check(CLI::Range(1, 100000000))
      ->type_name("N");
  command
      .add_option("--max-length", e.max_length,
                  "Tokens per example at most (default: 128; squad, squad2: windows of 384)")
      ->check(CLI::Range(3, 100000))
      ->type_name("N");
  auto* baseline =
      command.add_option("--baseline", e.baseline, "Compare with this model (default: the source)");
  baseline->type_name("MODEL");
  auto* no_baseline =
      command.add_flag("--no-baseline", options->no_baseline, "Do not run the source model");
  no_baseline->excludes(baseline);
  options->shard = add_shard_option(command, e.shard, e.shards);
  options->shard_output =
      command
          .add_option("-o,--output", e.output,
                      "File of a shard's answers (default: MODEL.TASK.IofN.json)")
          ->type_name("FILE");
  add_eval_output_options(command, options->output);
  command.get_option("--max-drop")->excludes(no_baseline);
  command.add_flag("--force", e.force, "Replace an existing file that fp8q did not write");
  command.add_option("--seed", e.seed, "Seed of the bootstrap")->capture_default_str();
  add_span_options(command, *options);
  add_table_options(command, *options);
  add_execution_options(command, e.execution);
  add_gelu_option(command, e.execution);
  add_tokenizer_options(command, e.tokenizer, e.config);
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q eval --task sst2\n"
      "  fp8q eval model.e4m3.onnx model.int8.onnx --task mrpc --data glue_data\n"
      "  fp8q eval bert-squad/ --task squad --data dev-v1.1.json --max-length 384 --doc-stride "
      "128\n"
      "  fp8q eval bert-topics/ --task text --data topics.jsonl --label-column topic --metric "
      "macro_f1\n"
      "  fp8q eval model.e4m3.onnx --task mnli --shard 2/8   # then fp8q merge\n"
      "  fp8q eval bert-sst2/ --task sst2 --json -");
  command.callback(
      [options, &globals] { globals.action = [options, &globals] { run(*options, globals); }; });
}

}  // namespace fp8q::cli
