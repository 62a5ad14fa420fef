// fp8q report: makes one HTML page from results.

#include <spdlog/fmt/fmt.h>

#include <memory>

#include "base/error.h"
#include "fp8q/report.h"
#include "report/json.h"
#include "report/result_file.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

// Returns whether a report can show the file. One that was kept may be damaged, or of a later
// version.
bool can_be_shown(const fs::path& result) {
  try {
    return !load_results({result}).empty();
  } catch (const Error&) {
    return false;
  }
}

// Uses the results that the commands left in this folder if no inputs are given.
void complete(ReportOptions& options) {
  if (!options.inputs.empty()) return;
  const Workspace workspace = require_workspace("report");
  options.inputs.push_back(workspace.statistics);
  for (const fs::path& result : kept_results())
    if (can_be_shown(result)) options.inputs.push_back(result);
}

std::string table_of(const ReportResult& r) {
  Table table({"report", short_path(r.report.path.string())});
  for (const auto& file : r.files) table.add({file.schema, short_path(file.path.string())});
  table.add({"size", human_bytes(r.report.bytes)});
  return table.str();
}

void run(ReportOptions& options, const Globals& globals) {
  complete(options);
  check_outputs(globals, files_of(options));
  const ReportResult result = report(options);
  print(globals, table_of(result));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

}  // namespace

void add_report(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<ReportOptions>();
  Command command = program.command("report", "Make an HTML page of results");
  command.option("RESULT", &options->inputs,
                 "Files that --json wrote, statistics (*.calib.json), or folders of them "
                 "(default: those of this folder's workspace)");
  command.option("-o,--output", &options->output, "Page to write").type_name("FILE").show_default();
  command.option("--title", &options->title, "Heading of the page").show_default();
  command
      .option("--site", &options->sites,
              "Site whose histogram is drawn (default: the ones INT8 serves worst and best)")
      .type_name("PATH");
  command.flag("--force", &options->force, "Replace an existing file that fp8q did not write");
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q report\n  fp8q eval --task sst2 --json sst2.json\n"
      "  fp8q report sst2.json model.calib.json -o sst2.html --site layer.3/ffn.output/input");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
