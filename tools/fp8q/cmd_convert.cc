// fp8q convert: writes a model with 8-bit weights and Q/DQ nodes.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "base/error.h"
#include "fp8q/convert.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

struct Options {
  ConvertOptions convert;
  bool list_sites = false;
};

// Fills in missing options from the workspace. Returns whether the workspace was used.
bool complete(ConvertOptions& options) {
  if (!options.model.empty()) return false;
  const Workspace workspace = require_workspace("convert");
  options.model = workspace.model;
  if (!options.statistics) options.statistics = workspace.statistics;
  options.keep_existing = options.output.empty() && !is_below_this_folder(options.model);
  return true;
}

std::string matrix_line(const char* verb, uint64_t before, uint64_t after) {
  return fmt::format("{} -> {} {}", human_bytes(before), human_bytes(after), verb);
}

// Returns a text such as "17 inputs of linear layers, alpha 0.3 to 0.7", which is empty if no input
// has factors.
std::string smoothing_of(const ConvertResult& r) {
  std::vector<double> alphas;
  for (const auto& site : r.sites)
    if (site.alpha) alphas.push_back(*site.alpha);
  if (alphas.empty()) return "";
  const auto [low, high] = std::ranges::minmax(alphas);
  return fmt::format("{} inputs of linear layers, alpha {}", alphas.size(),
                     low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high));
}

std::string table_of(const ConvertResult& r, bool from_workspace) {
  std::map<std::string, size_t> formats;
  double worst = INFINITY;
  std::string worst_path;
  for (const auto& site : r.sites) {
    ++formats[site.format];
    if (site.format == "float" || !site.sqnr_db || *site.sqnr_db >= worst) continue;
    worst = *site.sqnr_db;
    worst_path = site.path;
  }
  std::vector<std::string> counts;
  for (const auto& [format, count] : formats)
    if (format != "float") counts.push_back(fmt::format("{} {}", count, format));
  const size_t others = formats["float"];

  const char* origin = from_workspace ? " (from the workspace)" : "";
  Table table({"converted", short_path(r.source.path.string()) + origin});
  if (r.statistics) table.add({"statistics", short_path(r.statistics->path.string()) + origin});
  table.add({"recipe", r.recipe});
  if (!r.plan.empty()) table.add({"plan", short_path(r.plan.string())});
  table.add({"sites", fmt::format("{} ({} others stay float)", fmt::join(counts, ", "), others)});
  if (const std::string smoothing = smoothing_of(r); !smoothing.empty())
    table.add({"smoothed", smoothing});
  if (std::isfinite(worst))
    table.add({"lowest SQNR", fmt::format("{:.1f} dB at {}", worst, worst_path)});
  table.add(
      {"matrices", matrix_line("(against FP32)", r.matrix_bytes_before, r.matrix_bytes_after)});
  if (r.embedding_bytes_before > 0)
    table.add({"embeddings",
               matrix_line("(against FP32)", r.embedding_bytes_before, r.embedding_bytes_after)});
  table.add({"file", fmt::format("{} ({} -> {})", short_path(r.output.path.string()),
                                 human_bytes(r.source.bytes), human_bytes(r.output.bytes))});
  table.add({"time", fmt::format("{:.2f} s", r.elapsed_s)});
  return table.str();
}

std::string sites_table(const ConvertResult& r) {
  Table table({"site", "format", "granularity", "scale", "SQNR dB", "reason"},
              {false, false, false, true, true, false});
  for (const auto& s : r.sites) {
    const std::string scale = s.scale_max == 0 ? ""
                              : s.scale_min == s.scale_max
                                  ? fmt::format("{:.4g}", s.scale_min)
                                  : fmt::format("{:.4g}..{:.4g}", s.scale_min, s.scale_max);
    table.add({s.path, s.format, s.granularity, scale,
               s.sqnr_db ? fmt::format("{:.1f}", *s.sqnr_db) : "", s.reason});
  }
  return fmt::format("\n{}", table.str());
}

// Adds the options that change the recipe for a single Site or for all of them.
void add_planning_options(Command& command, ConvertOptions& options) {
  command
      .option("--observer", &options.observer,
              fmt::format("How activation statistics become a range: {} (default: absmax)",
                          fmt::join(observer_names(), ", ")))
      .type_name("NAME[:PARAMETER]");
  command.option("--weight-observer", &options.weight_observer, "The same for weights")
      .type_name("NAME[:PARAMETER]");
  command
      .option("--smooth-quant", &options.smooth_quant,
              "Multiply the channels of what enters linear layers by powers of two, and divide "
              "the weights by them: ALPHA from 0 to 1, or auto to search it for every input")
      .type_name("auto|ALPHA");
  command
      .option("--site", &options.sites,
              fmt::format(
                  "Decide for the Sites that match (as inspect --sites lists them; * ? [...]); the "
                  "last match counts. FORMAT: float, {}. GRANULARITY of weights: tensor, channel, "
                  "groupsN, blockN, tileN; of inputs of linear layers: tensor, token",
                  fmt::join(format_names(), ", ")))
      .one_value_at_a_time()
      .type_name("PATTERN=[FORMAT][@GRANULARITY][:OBSERVER]");
  command.option("--plan", &options.plan, "Take the decisions for all Sites from this file")
      .type_name("FILE");
  command
      .option("--write-plan", &options.write_plan,
              "Write the decisions for all Sites: a line each, to be read and changed")
      .type_name("FILE");
  command
      .option("--write-ranges", &options.write_ranges,
              "Write the ranges of activations: *.json for onnxruntime, else a TensorRT "
              "calibration cache")
      .type_name("FILE");
}

// Notes what was made if the model is the workspace's.
void note_in_workspace(ConvertResult& result) try {
  auto workspace = Workspace::load();
  std::error_code ignored;
  if (!workspace || !fs::equivalent(workspace->model, result.source.path, ignored)) return;
  workspace->converted = result.output.path;
  workspace->save();
} catch (const Error& e) {  // only a convenience failed: the model is written
  result.notes.push_back(fmt::format("the workspace does not know of this model: {}", e.what()));
}

void run(Options& options, const Globals& globals) {
  ConvertOptions& c = options.convert;
  const bool from_workspace = complete(c);
  check_outputs(globals, files_of(c));
  ConvertResult result = convert(c);
  note_in_workspace(result);
  print(globals, table_of(result, from_workspace));
  if (options.list_sites) print(globals, sites_table(result));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

}  // namespace

void add_convert(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  ConvertOptions& c = options->convert;
  Command command = program.command("convert", "Write a quantized model");
  command.option("MODEL", &c.model,
                 "ONNX file or folder (default: the one calibrated last in this folder)");
  command
      .option("--calib", &c.statistics,
              "Statistics (default: MODEL.calib.json), or a calibration table of TensorRT or "
              "onnxruntime")
      .type_name("FILE");
  command.option("-o,--output", &c.output, "Model to write (default: MODEL.<recipe>.onnx)")
      .type_name("FILE");
  command
      .option(
          "--format,--recipe", &c.recipe,
          fmt::format("{} (default: {})", fmt::join(recipe_names(), ", "), recipe_names().front()))
      .one_of(recipe_names())
      .type_name("NAME");
  add_planning_options(command, c);
  command.flag("--quantize-head", &c.quantize_head, "Pooler and classifier too");
  command.flag("--quantize-embeddings", &c.quantize_embeddings,
               "8-bit embedding rows with a scale per row, instead of float16");
  command.flag("--force", &c.force, "Replace an existing file that fp8q did not write");
  command.flag("--sites", &options->list_sites, "List what each Site got and why");
  add_memory_option(command);
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q convert --format e4m3\n"
      "  fp8q convert model.onnx --format int8 --calib model.calib.json -o small.onnx\n"
      "  fp8q convert model.onnx --format int8-dynamic    (needs no calibration)\n"
      "  fp8q convert model.onnx --format int8 --smooth-quant auto\n"
      "  fp8q convert --site 'layer.5/ffn.output/*=float' --site 'layer.*/query=e4m3:mse'\n"
      "  fp8q convert --write-plan plan.json; edit plan.json; fp8q convert --plan plan.json");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
