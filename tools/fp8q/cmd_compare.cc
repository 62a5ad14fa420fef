// fp8q compare: compares two models on the same inputs, Site by Site.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "fp8q/compare.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/task_arguments.h"

namespace fp8q::cli {
namespace {

constexpr size_t kWorstShown = 15;

struct Options {
  CompareOptions compare;
  TaskArguments task_arguments;
  bool list_sites = false;
};

std::string decibels_text(double decibels) {
  return std::isinf(decibels) && decibels > 0 ? "equal" : fmt::format("{:.1f}", decibels);
}

std::string share_text(double share) {
  return share == 0 ? "" : share < 1e-4 ? "<0.01 %" : fmt::format("{:.2f} %", 100 * share);
}

std::string head_of(const CompareResult& r) {
  const auto model = [](const FileFacts& file, const std::string& format) {
    return fmt::format("{} ({})", short_path(file.path.string()), format);
  };
  Table table({"compared", model(r.b, r.format_b)});
  table.add({"with", model(r.a, r.format_a)});
  table.add(
      {"text", fmt::format("{} examples, {} tokens ({})", r.examples, r.tokens,
                           r.data.builtin ? "built-in sample" : short_path(r.data.path.string()))});
  const auto quantized =
      std::ranges::count_if(r.sites, [](const auto& s) { return s.format_b != "float"; });
  table.add({"sites", fmt::format("{}, {} quantized", r.sites.size(), quantized)});
  table.add({"saturated", fmt::format("{:.4f} % of the values at quantized activation Sites",
                                      100 * r.saturated)});
  table.add({"underflowed", fmt::format("{:.4f} %", 100 * r.underflowed)});
  return table.str();
}

std::string outputs_table(const CompareResult& r) {
  Table table({"output", "max error", "NMSE", "cosine", "KL mean", "KL max", "same decision"},
              {false, true, true, true, true, true, true});
  for (const ComparedOutput& o : r.outputs) {
    const auto& d = o.decisions;
    table.add({o.name, fmt::format("{:.4g}", o.max_error), fmt::format("{:.3g}", o.nmse),
               fmt::format("{:.6f}", o.cosine), d ? fmt::format("{:.3g}", d->kl_mean) : "",
               d ? fmt::format("{:.3g}", d->kl_max) : "",
               d ? fmt::format("{:.2f} %", 100 * d->agreement) : ""});
  }
  return fmt::format("\n{}", table.str());
}

// Lists the Sites with the lowest SQNR first.
std::string sites_table(const CompareResult& r, size_t limit) {
  std::vector<const ComparedSite*> sites;
  for (const ComparedSite& site : r.sites)
    if (!std::isinf(site.sqnr_db)) sites.push_back(&site);
  std::ranges::stable_sort(sites, {}, &ComparedSite::sqnr_db);
  if (sites.empty()) return "\nall Sites are equal\n";
  const size_t shown = std::min(limit, sites.size());
  Table table({"site, worst first", "format", "SQNR dB", "own", "cosine", "max error", "saturated",
               "underflowed"},
              {false, false, true, true, true, true, true, true});
  for (const ComparedSite* s : std::span(sites).first(shown))
    table.add(
        {s->path,
         s->format_a == "float" ? s->format_b : fmt::format("{} / {}", s->format_a, s->format_b),
         decibels_text(s->sqnr_db), s->rounding_sqnr_db ? decibels_text(*s->rounding_sqnr_db) : "",
         fmt::format("{:.6f}", s->cosine), fmt::format("{:.4g}", s->max_error),
         share_text(s->saturated), share_text(s->underflowed)});
  std::string text = fmt::format("\n{}", table.str());
  if (shown < sites.size())
    text +=
        fmt::format("  the worst {} of {} that differ; --sites lists all\n", shown, sites.size());
  return text;
}

void run(const Options& options, const Globals& globals) {
  const CompareOptions& c = options.compare;
  options.task_arguments.check();
  check_outputs(globals, files_of(c));
  const CompareResult result = compare(c, make_progress(globals));
  print(globals, head_of(result));
  print(globals, sites_table(result, options.list_sites ? result.sites.size() : kWorstShown));
  print(globals, outputs_table(result));
  print(globals,
        fmt::format("  {}, {:.2f} s\n", result.execution.description, result.execution.elapsed_s));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

}  // namespace

void add_compare(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  CompareOptions& c = options->compare;
  Command command =
      program.command("compare", "Compare two models on the same inputs, Site by Site");
  command.option("A", &c.a, "The reference: ONNX file or folder, usually the float model")
      .required();
  command.option("B", &c.b, "The model compared with it, usually a converted one").required();
  options->task_arguments.add(command, c.task, TaskUse::text);
  add_examples_option(command, c.examples, "Number of examples");
  command.flag("--sites", &options->list_sites, "List every Site, not only the worst");
  add_execution_options(command, c.execution);
  add_tokenizer_options(command, c.tokenizer, c.config);
  add_global_options(command, globals);
  command.footer(
      "Columns: SQNR is of what the products read, errors from earlier layers included; \"own\" is "
      "that\nof the rounding at this Site alone.\n\n"
      "Examples:\n  fp8q compare model.onnx model.e4m3.onnx\n"
      "  fp8q compare bert-sst2/ bert-sst2/model.int8.onnx --task sst2 --data glue_data\n"
      "  fp8q compare model.onnx model.int8.onnx --sites --json differences.json");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
