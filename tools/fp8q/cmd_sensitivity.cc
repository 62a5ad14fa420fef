// fp8q sensitivity: shows which Sites suffer, in which format, and what would suit them.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <memory>
#include <span>

#include "fp8q/convert.h"
#include "fp8q/sensitivity.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/task_arguments.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

constexpr size_t kShown = 12;  // number of Sites per format

struct Options {
  SensitivityOptions sensitivity;
  TaskArguments task_arguments;
  bool list_sites = false;
};

// Fills in missing options from the workspace.
void complete(SensitivityOptions& options) {
  if (!options.location.model.empty()) return;
  const Workspace workspace = require_workspace("sensitivity");
  options.location.model = workspace.model;
  if (!options.statistics) options.statistics = workspace.statistics;
}

std::string harm_text(const TrialHarm& harm) {
  std::string text = fmt::format("divergence {:.3g}", harm.divergence);
  if (harm.agreement)
    text += fmt::format(", {:.1f} % of the decisions stay", 100 * *harm.agreement);
  if (harm.score) text += fmt::format(", score {:.2f}", *harm.score);
  return text;
}

std::string head_of(const SensitivityResult& r) {
  Table table({"model", short_path(r.model.path.string())});
  table.add(
      {"text", fmt::format("{} examples, {} tokens ({})", r.examples, r.tokens,
                           r.data.builtin ? "built-in sample" : short_path(r.data.path.string()))});
  table.add(
      {"sites", fmt::format("{} of recipe {}, {} trials", r.sites.size(), r.recipe, r.trials)});
  if (r.none.score) table.add({"float", fmt::format("{} {:.2f}", r.task, *r.none.score)});
  for (size_t f = 0; f < r.formats.size(); ++f)
    table.add({"all in " + r.formats[f], harm_text(r.whole[f])});
  return table.str();
}

double gain(const SensitivityResult& r, const SensitivitySite& site, size_t f) {
  return r.whole[f].divergence - site.formats[f].left_out.divergence;
}

std::string ranking(const SensitivityResult& r, size_t f, size_t limit) {
  std::vector<const SensitivitySite*> sites;
  for (const SensitivitySite& site : r.sites) sites.push_back(&site);
  std::ranges::sort(sites, {}, [f](const auto* s) { return s->formats[f].rank; });
  const bool scored = r.none.score.has_value();
  std::vector<std::string> heading = {
      r.formats[f] + ", worst first", "alone", "gain", "SQNR dB", "absmax/rms", "kurtosis", "best"};
  if (scored) heading.insert(heading.begin() + 3, {"score alone", "left out"});
  std::vector<bool> right(heading.size(), true);
  right.front() = right.back() = false;
  Table table(heading, right);
  for (const SensitivitySite* s : std::span(sites).first(std::min(limit, sites.size()))) {
    const auto& in = s->formats[f];
    std::vector<std::string> row = {s->path,
                                    fmt::format("{:.2e}", in.alone.divergence),
                                    fmt::format("{:+.2e}", gain(r, *s, f)),
                                    fmt::format("{:.1f}", in.sqnr_db),
                                    fmt::format("{:.1f}", s->distribution.outlier_ratio),
                                    fmt::format("{:.1f}", s->distribution.kurtosis),
                                    s->best_format};
    if (scored)
      row.insert(row.begin() + 3, {signed_number(*in.alone.score - *r.none.score, 2),
                                   signed_number(*in.left_out.score - *r.whole[f].score, 2)});
    table.add(std::move(row));
  }
  std::string text = fmt::format("\n{}", table.str());
  if (limit < sites.size())
    text += fmt::format("  the worst {} of {}; --sites lists all\n", limit, sites.size());
  return text;
}

std::string groups_table(const SensitivityResult& r, const std::vector<SensitivityGroup>& groups,
                         const char* title) {
  std::vector<std::string> heading = {title, "sites"};
  for (const std::string& format : r.formats) {
    heading.push_back(format + " alone");
    heading.push_back("gain");
  }
  std::vector<bool> right(heading.size(), true);
  right.front() = false;
  Table table(heading, right);
  for (const SensitivityGroup& group : groups) {
    std::vector<std::string> row = {group.name, std::to_string(group.sites)};
    for (const auto& sum : group.formats) {
      row.push_back(fmt::format("{:.2e}", sum.alone));
      row.push_back(fmt::format("{:+.2e}", sum.gain));
    }
    table.add(std::move(row));
  }
  return fmt::format("\n{}", table.str());
}

std::string best_formats(const SensitivityResult& r) {
  std::map<std::string, std::pair<size_t, const SensitivitySite*>> counts;  // with an example
  for (const SensitivitySite& site : r.sites) {
    auto& [count, example] = counts[site.best_format];
    if (++count == 1) example = &site;
  }
  Table table({"best format", "sites", "for example"}, {false, true, false});
  for (const auto& [format, entry] : counts)
    table.add({format, std::to_string(entry.first),
               fmt::format("{}: {}", entry.second->path, entry.second->best_reason)});
  return fmt::format("\n{}", table.str());
}

void run(Options& options, const Globals& globals) {
  SensitivityOptions& s = options.sensitivity;
  options.task_arguments.check();
  complete(s);
  check_outputs(globals, files_of(s));
  const SensitivityResult result = sensitivity(s, make_progress(globals));
  print(globals, head_of(result));
  for (size_t f = 0; f < result.formats.size(); ++f)
    print(globals, ranking(result, f, options.list_sites ? result.sites.size() : kShown));
  print(globals, groups_table(result, result.roles, "role"));
  print(globals, groups_table(result, result.layers, "layer"));
  print(globals, best_formats(result));
  print(globals,
        fmt::format("  {}, {:.2f} s\n", result.execution.description, result.execution.elapsed_s));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

}  // namespace

void add_sensitivity(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  SensitivityOptions& s = options->sensitivity;
  Command command = program.command(
      "sensitivity", "Rank Sites by the harm that quantizing them does, in each format");
  command.option("MODEL", &s.location.model,
                 "Float ONNX file or folder (default: the one calibrated last in this folder)");
  command.option("--calib", &s.statistics, "Statistics (default: MODEL.calib.json)")
      .type_name("FILE");
  command.option("--recipe", &s.recipe, "Which Sites, and the granularity of weights")
      .one_of(recipe_names())
      .type_name("NAME")
      .show_default();
  command.option("--formats", &s.formats, "Formats to try, separated by commas")
      .comma_separated()
      .type_name("LIST")
      .show_default();
  command.option("--observer", &s.observer, "How activation statistics become a range")
      .type_name("NAME")
      .show_default();
  options->task_arguments.add(command, s.task, TaskUse::scores_if_any)
      .help("Judge by this task's score, too (takes as long as scoring every trial; see --limit)");
  add_examples_option(command, s.examples, "Examples of training text that trials run");
  command.flag("--sites", &options->list_sites, "List every Site, not only the worst");
  add_execution_options(command, s.execution);
  add_tokenizer_options(command, s.location.tokenizer, s.location.config);
  add_global_options(command, globals);
  command.footer(
      "Columns: \"alone\" is the divergence of the outputs (KL in nats; squared error of "
      "regressions) with\nonly this Site rounded, \"gain\" what leaving it out of everything "
      "rounded takes away again, \"best\"\nthe split of 8 bits with the highest SQNR.\n\n"
      "Examples:\n  fp8q sensitivity\n"
      "  fp8q sensitivity bert-sst2/ --formats int8 --sites\n"
      "  fp8q sensitivity model.onnx --task sst2 --data glue_data --limit 200 --formats e4m3");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
