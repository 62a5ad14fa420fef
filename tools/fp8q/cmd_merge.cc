// fp8q merge: joins what the shards of a calibration, or of an evaluation, found.

#include <spdlog/fmt/fmt.h>

#include <memory>

#include "base/error.h"
#include "fp8q/merge.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/eval_output.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"

namespace fp8q::cli {
namespace {

struct Options {
  std::vector<fs::path> inputs;
  fs::path output;
  bool force = false;
  EvalOutput evaluation;
};

Table table_of(const std::vector<MergedPart>& parts) {
  Table table({"merged", fmt::format("{} files", parts.size())});
  for (const auto& part : parts) table.add({short_path(part.path.string()), part.part});
  return table;
}

void run_statistics(const Options& options, const Globals& globals) {
  if (options.output.empty())
    fail(ErrorCode::usage, "merge: name the file for the statistics of the whole with -o FILE");
  if (const Option* given = options.evaluation.given())
    fail(ErrorCode::usage, "{} is for the parts of an evaluation; these are of a calibration",
         given->name());
  const MergeResult r = merge({options.inputs, options.output, options.force});
  Table table = table_of(r.parts);
  table.add({"text", fmt::format("{} examples, {} tokens", r.examples, r.tokens)});
  table.add({"statistics", fmt::format("{} ({})", short_path(r.output.path.string()),
                                       human_bytes(r.output.bytes))});
  print(globals, table.str());
  write_json(globals, to_json(r));
}

void run_evaluation(const Options& options, const Globals& globals) {
  if (!options.output.empty())
    fail(ErrorCode::usage,
         "-o is for the parts of a calibration; the scores of these parts of an evaluation are "
         "written by --json, the answers by --predictions");
  const MergeEvaluationsResult r =
      merge_evaluations({options.inputs, options.evaluation.predictions, options.force});
  print(globals, table_of(r.parts).str());
  put_out(r.results, options.evaluation, globals);
}

void run(const Options& options, const Globals& globals) {
  check_outputs(globals, {options.inputs, {options.output, options.evaluation.predictions}});
  if (hold_evaluations(options.inputs)) run_evaluation(options, globals);
  else run_statistics(options, globals);
}

}  // namespace

void add_merge(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  Command command =
      program.command("merge", "Join the shards of a calibration, or score those of an evaluation");
  command
      .option("FILES", &options->inputs,
              "What calibrate --shard or eval --shard wrote, in any order")
      .required();
  command.option("-o,--output", &options->output, "Statistics of the whole (calibration)")
      .type_name("FILE");
  command.flag("--force", &options->force, "Replace an existing file that fp8q did not write");
  add_eval_output_options(command, options->evaluation);
  for (Option& option : options->evaluation.options) option.group("Scores (evaluation)");
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q calibrate model.onnx --shard 1/2   # on one machine\n"
      "  fp8q calibrate model.onnx --shard 2/2   # on another\n"
      "  fp8q merge model.calib.?of2.json -o model.calib.json\n\n"
      "  fp8q eval model.e4m3.onnx --task sst2 --shard 1/2\n"
      "  fp8q eval model.e4m3.onnx --task sst2 --shard 2/2\n"
      "  fp8q merge model.e4m3.sst2.?of2.json --json scores.json");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
