// fp8q merge: joins the statistics of shards.

#include <spdlog/fmt/fmt.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "fp8q/merge.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"

namespace fp8q::cli {
namespace {

std::string table_of(const MergeResult& r) {
  Table table({"merged", fmt::format("{} files", r.parts.size())});
  for (const auto& part : r.parts) table.add({short_path(part.path.string()), part.part});
  table.add({"text", fmt::format("{} examples, {} tokens", r.examples, r.tokens)});
  table.add({"statistics", fmt::format("{} ({})", short_path(r.output.path.string()),
                                       human_bytes(r.output.bytes))});
  return table.str();
}

}  // namespace

void add_merge(CLI::App& program, Globals& globals) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App& command =
      *program.add_subcommand("merge", "Join the statistics of all shards of a calibration");
  command
      .add_option("FILES", options->inputs, "Statistics that calibrate --shard wrote, in any order")
      ->required();
  command.add_option("-o,--output", options->output, "Statistics of the whole")
      ->type_name("FILE")
      ->required();
  command.add_flag("--force", options->force, "Replace an existing file that fp8q did not write");
  add_global_options(command, globals);
  command.footer(
      "Example:\n  fp8q calibrate model.onnx --shard 1/2   # on one machine\n"
      "  fp8q calibrate model.onnx --shard 2/2   # on another\n"
      "  fp8q merge model.calib.1of2.json model.calib.2of2.json -o model.calib.json");
  command.callback([options, &globals] {
    globals.action = [options, &globals] {
      std::vector<fs::path> others = options->inputs;
      others.push_back(options->output);
      check_json_target(globals, others);
      const MergeResult result = merge(*options);
      print(globals, table_of(result));
      write_json(globals, to_json(result));
    };
  });
}

}  // namespace fp8q::cli
