// fp8q eval: scores models on a task, beside their FP32 source.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "fp8q/evaluate.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

struct Options {
  EvaluateOptions evaluate;
  bool no_baseline = false;
  bool kernels = false;
  bool flips = false;
  std::optional<double> max_drop;
};

bool complete(EvaluateOptions& options) {
  if (!options.models.empty()) return false;
  const Workspace workspace = require_workspace("eval");
  options.models = {workspace.converted.empty() ? workspace.model : workspace.converted};
  if (!workspace.converted.empty() && options.use_baseline && !options.baseline)
    options.baseline = workspace.model;
  return true;
}

std::string metrics_text(const Scores& scores) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : scores.metrics)
    parts.push_back(fmt::format("{} {:.4f}", name, value));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string score_text(const Scores& s) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", s.score, s.ci95_low, s.ci95_high);
}

std::string difference_text(const ScoreDifference& d) {
  return fmt::format("{} [{}, {}]", signed_number(d.score, 2), signed_number(d.ci95_low, 2),
                     signed_number(d.ci95_high, 2));
}

std::string p_text(double p) { return p < 0.001 ? "<0.001" : fmt::format("{:.3f}", p); }

void add_row(Table& table, const Scores& s, const ScoreDifference* d) {
  table.add({short_path(s.model.path.string()), s.format, score_text(s),
             d ? difference_text(*d) : "", d ? p_text(d->p_value) : "",
             d ? std::to_string(d->flips.size()) : "", human_bytes(s.model.bytes),
             fmt::format("{:.0f}/s", s.examples_per_s)});
}

std::string table_of(const std::vector<EvaluateResult>& results) {
  const EvaluateResult& first = results.front();
  std::string text = fmt::format(
      "{} {}, {} examples, {} tokens ({})\n", first.task, first.split, first.examples, first.tokens,
      first.data.builtin ? "built-in sample" : short_path(first.data.path.string()));
  Table table(
      {"model", "format", "score [95 %]", "difference [95 %]", "p", "flips", "size", "speed"},
      {false, false, true, true, true, true, true, true});
  std::vector<const Scores*> baselines;  // each once, above the models compared with it
  for (const auto& r : results) {
    if (!r.baseline) continue;
    const auto same = [&](const Scores* s) { return s->model.sha256 == r.baseline->model.sha256; };
    if (std::ranges::none_of(baselines, same)) baselines.push_back(&*r.baseline);
  }
  for (const Scores* baseline : baselines) add_row(table, *baseline, nullptr);
  for (const auto& r : results) add_row(table, r.scores, r.difference ? &*r.difference : nullptr);
  text += table.str();
  for (const Scores* baseline : baselines)
    text += fmt::format("  {}: {}\n", baseline->format, metrics_text(*baseline));
  for (const auto& r : results)
    text += fmt::format("  {}: {}\n", r.scores.format, metrics_text(r.scores));
  text += fmt::format("  {}, {:.2f} s\n", first.execution.description, first.execution.elapsed_s);
  return text;
}

std::string kernels_table(const EvaluateResult& r) {
  Table table({"site", "requested", "effective"});
  for (const auto& k : r.scores.kernels) table.add({k.path, k.requested, k.effective});
  return "\n" + table.str();
}

constexpr size_t kFlipsShown = 50;
constexpr size_t kFlipTextWidth = 100;  // for both texts of a pair together

// On one line, at most `width` code points.
std::string shortened(const std::string& text, size_t width) {
  const std::string line = printable(text);
  size_t count = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80;
    if (starts && ++count > width) return line.substr(0, i) + "...";
  }
  return line;
}

std::string shown_text(const Flip& flip) {
  if (flip.pair.empty()) return shortened(flip.text, kFlipTextWidth);
  return shortened(flip.text, kFlipTextWidth / 2) + " | " +
         shortened(flip.pair, kFlipTextWidth / 2);
}

std::string flips_table(const EvaluateResult& r) {
  const std::string model = short_path(r.scores.model.path.string());
  if (!r.difference) return fmt::format("\n{}: no baseline, so no flips\n", model);
  const std::vector<Flip>& flips = r.difference->flips;
  if (flips.empty()) return fmt::format("\n{}: no flips\n", model);
  Table table({"index", "gold", "baseline", "model", "text"}, {true});
  const size_t shown = std::min(flips.size(), kFlipsShown);
  for (const Flip& f : std::span(flips).first(shown))
    table.add({std::to_string(f.index), f.gold, f.baseline, f.model, shown_text(f)});
  std::string text = fmt::format("\n{}: {} flips\n{}", model, flips.size(), table.str());
  if (shown < flips.size())
    text += fmt::format("  the first {} of {}; --json lists the index of every one\n", shown,
                        flips.size());
  return text;
}

nlohmann::ordered_json json_of(const std::vector<EvaluateResult>& results) {
  if (results.size() == 1) return to_json(results.front());
  auto list = nlohmann::ordered_json::array();
  for (const auto& r : results) list.push_back(to_json(r));
  return list;
}

void check_gate(const std::vector<EvaluateResult>& results, double max_drop) {
  for (const auto& r : results) {
    if (!r.difference)
      fail(ErrorCode::usage,
           "--max-drop needs a baseline to compare {} with; give --baseline MODEL",
           r.scores.model.path.string());
    if (r.difference->score < -max_drop)
      fail(ErrorCode::accuracy_gate, "{}: the score fell by {:.2f} points, more than --max-drop {}",
           r.scores.model.path.string(), -r.difference->score, max_drop);
  }
}

void run(Options& options, const Globals& globals) {
  EvaluateOptions& e = options.evaluate;
  e.use_baseline = !options.no_baseline;
  const bool from_workspace = complete(e);
  std::vector<fs::path> files = e.models;
  if (e.data) files.push_back(*e.data);
  files.push_back(e.predictions);
  check_json_target(globals, files);
  const std::vector<EvaluateResult> results = evaluate(e, make_progress(globals));
  if (from_workspace)
    print(globals,
          fmt::format("model {} (from the workspace)\n", short_path(e.models.front().string())));
  print(globals, table_of(results));
  if (options.kernels)
    for (const auto& r : results) print(globals, kernels_table(r));
  if (options.flips)
    for (const auto& r : results) print(globals, flips_table(r));
  for (const auto& r : results) print_notes(globals, r.notes);
  write_json(globals, json_of(results));
  if (options.max_drop) check_gate(results, *options.max_drop);
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
      .add_option("--data", e.data,
                  "GLUE folder or file (default: $FP8Q_DATA, ./glue_data, built-in sample)")
      ->type_name("PATH");
  command.add_option("--limit", e.limit, "Only the first N examples")
      ->check(CLI::Range(1, 100000000))
      ->type_name("N");
  command.add_option("--max-length", e.max_length, "Tokens per example at most")
      ->check(CLI::Range(3, 100000))
      ->type_name("N")
      ->capture_default_str();
  auto* baseline =
      command.add_option("--baseline", e.baseline, "Compare with this model (default: the source)");
  baseline->type_name("MODEL");
  command.add_flag("--no-baseline", options->no_baseline, "Do not run the source model")
      ->excludes(baseline);
  command
      .add_option("--max-drop", options->max_drop,
                  "Exit with 1 where the score falls by more points than this")
      ->check(CLI::NonNegativeNumber)
      ->type_name("POINTS");
  command
      .add_option("--predictions", e.predictions,
                  "Write each example's label and logits (JSON lines)")
      ->type_name("FILE");
  command.add_flag("--force", e.force,
                   "Replace an existing --predictions file that fp8q did not write");
  command.add_flag("--kernels", options->kernels, "List the kernel each Site runs with");
  command.add_flag("--flips", options->flips,
                   "List the examples whose label differs from the baseline's");
  command.add_option("--seed", e.seed, "Seed of the bootstrap")->capture_default_str();
  add_execution_options(command, e.execution);
  add_tokenizer_options(command, e.tokenizer, e.config);
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q eval --task sst2\n"
      "  fp8q eval model.e4m3.onnx model.int8.onnx --task mrpc --data glue_data\n"
      "  fp8q eval bert-sst2/ --task sst2 --json -");
  command.callback(
      [options, &globals] { globals.action = [options, &globals] { run(*options, globals); }; });
}

}  // namespace fp8q::cli
