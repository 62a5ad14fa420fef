// fp8q calibrate: runs text through a model and records statistics.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>

#include "fp8q/calibrate.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/task_arguments.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

struct Options {
  CalibrateOptions calibrate;
  TaskArguments task_arguments;
};

std::string data_description(const CalibrateResult& r) {
  if (r.data.random) return "random token ids";
  if (r.data.builtin) return "built-in sample";
  return short_path(r.data.path.string());
}

std::string table_of(const CalibrateResult& r) {
  Table table({"calibrated", short_path(r.model.path.string())});
  table.add({"text", fmt::format("{} examples, {} tokens ({})", r.examples, r.tokens,
                                 data_description(r))});
  if (!r.part.empty()) table.add({"shard", r.part});
  table.add({"sites", std::to_string(r.sites.size())});
  if (!r.sites.empty()) {
    const auto largest = std::ranges::max_element(r.sites, {}, &CalibratedSite::absmax);
    table.add({"largest", fmt::format("{:.4g} at {}", largest->absmax, largest->path)});
  }
  table.add({"statistics", fmt::format("{} ({})", short_path(r.statistics.path.string()),
                                       human_bytes(r.statistics.bytes))});
  table.add({"time", fmt::format("{:.2f} s, {}", r.execution.elapsed_s, r.execution.description)});
  return table.str();
}

void note_in_workspace(CalibrateResult& result) {
  try {
    Workspace{result.model.path, result.statistics.path, {}}.save();
    forget_results();
  } catch (const Error& e) {  // only a convenience failed: the statistics are written
    result.notes.push_back(
        fmt::format("no workspace, so name the files to `convert`: {}", e.what()));
  }
}

void run(const Options& options, const Globals& globals) {
  const CalibrateOptions& c = options.calibrate;
  options.task_arguments.check();
  check_outputs(globals, files_of(c));
  CalibrateResult result = calibrate(c, make_progress(globals));
  if (result.part.empty()) note_in_workspace(result);
  print(globals, table_of(result));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

}  // namespace

void add_calibrate(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  CalibrateOptions& c = options->calibrate;
  Command command = program.command("calibrate", "Record activation statistics of a model");
  command
      .option("MODEL", &c.location.model,
              "ONNX file, or folder with model.onnx, config.json and tokenizer")
      .required();
  command.option("-o,--output", &c.output, "Statistics file (default: MODEL.calib.json)")
      .type_name("FILE");
  options->task_arguments.add(command, c.task, TaskUse::text);
  add_examples_option(command, c.examples, "Number of examples");
  const Option random = command.flag("--random-data", &c.random_data,
                                     "Random token ids instead of text; recorded in the file");
  command.option("--seed", &c.seed, "Seed of --random-data").needs(random);
  add_shard_option(command, c.shard, c.shards);
  command
      .option("--checkpoint", &c.checkpoint_seconds,
              "Seconds between checkpoints, from which an interrupted run goes on")
      .range(0.0, 1e6)
      .type_name("SECONDS")
      .show_default();
  command.flag("--force", &c.force, "Replace an existing file that fp8q did not write");
  add_execution_options(command, c.execution);
  add_tokenizer_options(command, c.location.tokenizer, c.location.config);
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q calibrate model.onnx\n"
      "  fp8q calibrate bert-sst2/ --task sst2 --data glue_data --examples 512\n"
      "  fp8q calibrate model.onnx --data sentences.txt -o mine.calib.json\n"
      "  fp8q calibrate bert-topics/ --task text --data topics.jsonl --text-column body");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
