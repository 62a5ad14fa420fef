// fp8q eval: scores models on a task, together with their FP32 source.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "fp8q/evaluate.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/eval_output.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/task_arguments.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

struct Options {
  EvaluateOptions evaluate;
  TaskArguments task_arguments;
  EvalOutput output;
  bool no_baseline = false;
  Option shard;
  Option shard_output;
};

bool complete(EvaluateOptions& options) {
  if (!options.models.empty()) return false;
  const Workspace workspace = require_workspace("eval");
  options.models = {workspace.converted.empty() ? workspace.model : workspace.converted};
  if (!workspace.converted.empty() && options.use_baseline && !options.baseline)
    options.baseline = workspace.model;
  options.keep_existing = options.output.empty() && !is_below_this_folder(options.models.front());
  return true;
}

// Throws an Error (usage) if an option about scores is given with --shard, or the other way round.
void check_shard_options(const Options& options) {
  if (!options.shard.given() && options.shard_output.given())
    fail(ErrorCode::usage,
         "-o names the file of a --shard; scores are written by --json, answers by --predictions");
  if (const Option* given = options.output.given(); given && options.shard.given())
    fail(ErrorCode::usage, "{} is for all examples: give it to fp8q merge, which joins the shards",
         given->name());
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
  options.task_arguments.check();
  check_shard_options(options);
  e.use_baseline = !options.no_baseline;
  e.predictions = options.output.predictions;
  const bool from_workspace = complete(e);
  check_outputs(globals, options.shard.given() ? files_of_shard(e) : files_of(e));
  const std::string model = short_path(e.models.front().string());
  if (options.shard.given()) return run_shard(e, globals);
  const std::vector<EvaluateResult> results = evaluate(e, make_progress(globals));
  if (from_workspace) print(globals, fmt::format("model {} (from the workspace)\n", model));
  put_out(results, options.output, globals);
}

}  // namespace

void add_eval(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  EvaluateOptions& e = options->evaluate;
  Command command = program.command("eval", "Score models on a task");
  command.option("MODEL", &e.models,
                 "ONNX files or folders (default: the model converted last in this folder)");
  options->task_arguments.add(command, e.task, TaskUse::scores);
  const Option baseline =
      command.option("--baseline", &e.baseline, "Compare with this model (default: the source)")
          .type_name("MODEL");
  const Option no_baseline =
      command.flag("--no-baseline", &options->no_baseline, "Do not run the source model")
          .excludes(baseline);
  options->shard = add_shard_option(command, e.shard, e.shards);
  options->shard_output = command
                              .option("-o,--output", &e.output,
                                      "File of a shard's answers (default: MODEL.TASK.IofN.json)")
                              .type_name("FILE");
  add_eval_output_options(command, options->output).excludes(no_baseline);
  command.flag("--force", &e.force, "Replace an existing file that fp8q did not write");
  command.option("--seed", &e.seed, "Seed of the bootstrap").show_default();
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
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
