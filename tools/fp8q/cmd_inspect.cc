// fp8q inspect: shows what a model is and what fp8q would do with it.

#include <spdlog/fmt/fmt.h>

#include <memory>

#include "base/error.h"
#include "fp8q/inspect.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"

namespace fp8q::cli {
namespace {

struct Options {
  ModelLocation location;
  bool list_sites = false;
  bool list_operators = false;
};

std::string joined(const std::vector<std::string>& items, const char* separator = ", ") {
  return fmt::format("{}", fmt::join(items, separator));
}

std::vector<std::string> outputs_with_meanings(const InspectResult& r) {
  std::vector<std::string> all = r.outputs;
  for (size_t i = 0; i < r.output_meanings.size(); ++i)
    all[i] += fmt::format(" ({})", r.output_meanings[i]);
  return all;
}

std::string facts_table(const InspectResult& r) {
  Table table({"model", short_path(r.file.path.string())});
  const auto add = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) table.add({key, value});
  };
  add("size", human_bytes(r.file.bytes));
  add("sha256", r.file.sha256);
  add("producer", r.producer);
  add("opset", fmt::format("{} (IR {})", r.opset, r.ir_version));
  add("inputs", joined(r.inputs));
  add("outputs", joined(outputs_with_meanings(r)));
  add("parameters", human_count(r.parameters));
  std::vector<std::string> types;
  for (const auto& [type, bytes] : r.bytes_by_type)
    types.push_back(fmt::format("{} {}", type, human_bytes(bytes)));
  add("constants", joined(types));
  if (r.encoder)
    for (const auto& [key, value] : r.architecture) add(key, value);
  else add("architecture", "not recognized as an encoder: " + r.not_encoder_reason);
  add("quantization", r.quantization);
  for (const auto& [key, value] : r.manifest) add(key, value);
  add("labels", joined(r.labels));
  add("tokenizer", r.tokenizer);
  add("runs on", r.engine);
  size_t activations = 0;
  for (const auto& site : r.sites) activations += site.kind == "activation";
  add("sites",
      fmt::format("{} activations, {} weights", activations, r.sites.size() - activations));
  return table.str();
}

std::string sites_table(const InspectResult& r) {
  Table table({"site", "kind", "format", "value"});
  for (const auto& site : r.sites)
    table.add({site.path, site.kind, site.format, printable(site.name)});
  return fmt::format("\n{}", table.str());
}

std::string operators_table(const InspectResult& r) {
  Table table({"operator", "nodes"}, {false, true});
  for (const auto& [name, count] : r.operators) table.add({name, std::to_string(count)});
  return fmt::format("\n{}\n  fp8q can execute: {}\n", table.str(), joined(operator_list()));
}

void run(const Options& options, const Globals& globals) {
  check_outputs(globals, files_of(options.location));
  const InspectResult result = inspect(options.location);
  print(globals, facts_table(result));
  if (options.list_sites) print(globals, sites_table(result));
  if (options.list_operators) print(globals, operators_table(result));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

}  // namespace

void add_inspect(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  Command command = program.command("inspect", "Tell what a model is");
  command.option("MODEL", &options->location.model, "ONNX file or folder with model.onnx")
      .required();
  command.flag("--sites", &options->list_sites, "List the Sites: operands of matrix products");
  command.flag("--ops", &options->list_operators, "List the operators, and those fp8q can execute");
  add_tokenizer_options(command, options->location.tokenizer, options->location.config);
  add_memory_option(command);
  add_global_options(command, globals);
  command.footer("Examples:\n  fp8q inspect model.onnx\n  fp8q inspect model.e4m3.onnx --sites");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
