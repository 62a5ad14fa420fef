// fp8q tune: finds a cheap mixture of formats within an allowed drop of a task's score.

#include <spdlog/fmt/fmt.h>

#include <memory>

#include "base/error.h"
#include "fp8q/convert.h"
#include "fp8q/tune.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"
#include "tools/fp8q/task_arguments.h"
#include "tools/fp8q/workspace.h"

namespace fp8q::cli {
namespace {

struct Options {
  TuneOptions tune;
  TaskArguments task_arguments;
};

// Fills in missing options from the workspace.
void complete(TuneOptions& options) {
  if (!options.location.model.empty()) return;
  const Workspace workspace = require_workspace("tune");
  options.location.model = workspace.model;
  if (!options.statistics) options.statistics = workspace.statistics;
  options.keep_existing = options.output.empty() && !is_below_this_folder(workspace.model);
}

std::string demand_text(const TuneResult& r) {
  const std::string drop =
      r.allowed > 0 ? fmt::format("a drop of at most {:.2f} points", r.allowed) : "no drop";
  if (!r.confidence) return drop;
  return fmt::format("{} at the low end of the {:g} % interval", drop, 100 * *r.confidence);
}

std::string head_of(const TuneResult& r) {
  Table table({"tuned", short_path(r.model.path.string())});
  table.add(
      {"task", fmt::format("{} {}, {} examples ({})", r.task, r.split, r.examples,
                           r.data.builtin ? "built-in sample" : short_path(r.data.path.string()))});
  table.add(
      {"demand", fmt::format("{} from the float model's {:.2f}", demand_text(r), r.baseline)});
  return table.str();
}

std::string path_table(const TuneResult& r) {
  const std::string difference =
      fmt::format("difference [{:g} %]", 100 * r.confidence.value_or(0.95));
  Table table({"plan", "changed", "quantized", "time of float", "score", difference, "meets", ""},
              {false, true, true, true, true, true, false, false});
  for (size_t i = 0; i < r.evaluations.size(); ++i) {
    const TuneEvaluation& e = r.evaluations[i];
    table.add({i == 0 ? r.recipe : std::to_string(i), std::to_string(e.fallbacks),
               fmt::format("{} of {}", e.quantized, r.sites_in_recipe),
               fmt::format("{:.0f} %", 100 * e.time), fmt::format("{:.2f}", e.score),
               fmt::format("{} [{}, {}]", signed_number(e.difference, 2), signed_number(e.low, 2),
                           signed_number(e.high, 2)),
               e.meets ? "yes" : "no",
               fmt::format("{}{}{}", r.chosen == i ? "chosen" : "",
                           r.chosen == i && e.from_checkpoint ? ", " : "",
                           e.from_checkpoint ? "from the checkpoint" : "")});
  }
  return fmt::format("\n{}", table.str());
}

// Shows the scores on held-out examples. The scores above are too optimistic; these are not.
std::string holdout_table(const TuneResult& r) {
  const TuneHoldout& h = *r.holdout;
  Table table(
      {fmt::format("{} examples held out", h.examples), "score [95 %]", "difference [95 %]", "p"},
      {false, true, true, true});
  const auto add = [&](const std::string& name, const TuneHeldOut& m, bool differs) {
    table.add({name, fmt::format("{:.2f} [{:.2f}, {:.2f}]", m.score, m.low, m.high),
               differs ? fmt::format("{} [{}, {}]", signed_number(m.difference, 2),
                                     signed_number(m.difference_low, 2),
                                     signed_number(m.difference_high, 2))
                       : "",
               differs ? p_text(m.p_value) : ""});
  };
  add("float", h.baseline, false);
  add(r.recipe, h.recipe, true);
  if (!r.fallbacks.empty()) add("plan", h.tuned, true);
  return fmt::format("\n{}", table.str());
}

std::string fallbacks_table(const TuneResult& r) {
  if (r.fallbacks.empty()) return "\nthe recipe as it is meets the demand: nothing falls back\n";
  Table table({"falls back", "sites", "from", "to", "why"}, {false, true, false, false, false});
  for (const TuneFallback& f : r.fallbacks)
    table.add({f.unit, std::to_string(f.sites.size()), f.from, f.to, f.reason});
  return fmt::format("\n{}", table.str());
}

void run(Options& options, const Globals& globals) {
  TuneOptions& t = options.tune;
  options.task_arguments.check();
  complete(t);
  check_outputs(globals, files_of(t));
  const TuneResult result = tune(t, make_progress(globals));
  print(globals, head_of(result));
  print(globals, path_table(result));
  if (result.chosen) {
    print(globals, fallbacks_table(result));
    if (result.holdout) print(globals, holdout_table(result));
    print(globals, fmt::format("\n  plan        {}\n  convert     fp8q convert {} --plan {}\n",
                               short_path(result.plan.string()),
                               shell_word(short_path(result.model.path.string())),
                               shell_word(short_path(result.plan.string()))));
  }
  print(globals, fmt::format("  checkpoint  {} (other --max-drop values need no new scores)\n"
                             "  {}, {:.2f} s\n",
                             short_path(result.checkpoint.string()), result.execution.description,
                             result.execution.elapsed_s));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
  if (!result.chosen)
    fail(ErrorCode::accuracy_gate,
         "no plan of recipe {} meets the demand ({}); allow more with --max-drop, or start from "
         "another recipe",
         result.recipe, demand_text(result));
}

void add_search_options(Command& command, TuneOptions& t) {
  command.option("--max-drop", &t.max_drop, "Drop of the score that is allowed")
      .not_negative()
      .type_name("X")
      .show_default();
  command
      .choice("--drop-type", {{"abs", false}, {"rel", true}}, &t.relative,
              "abs: points of the score; rel: per cent of the float model's score")
      .show_default();
  command
      .option("--confidence", &t.confidence,
              "Let the lower end of the difference's interval of this confidence, as 0.95, meet "
              "the demand (default: the difference as measured)")
      .type_name("P");
  const Option fallback = command
                              .option("--fallback", &t.fallback,
                                      "Formats tried before floating point, separated by commas "
                                      "(default: e4m3 for INT8 recipes)")
                              .comma_separated()
                              .type_name("LIST");
  command.flag("--float-only", &t.float_only, "Fall back to floating point only")
      .excludes(fallback);
  command
      .option("--evaluations", &t.evaluations,
              "Plans scored at most to take back fallbacks that are not needed")
      .range(0, 1000000)
      .type_name("N")
      .show_default();
  add_examples_option(command, t.examples, "Examples of training text to estimate harm on");
  command
      .option("--holdout", &t.holdout,
              "Share of the examples, as 0.5, that the search does not see: recipe and plan are "
              "scored on them at last")
      .type_name("SHARE");
  command.option("--seed", &t.seed, "Seed of the bootstrap, and of what is held out")
      .show_default();
}

}  // namespace

void add_tune(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  TuneOptions& t = options->tune;
  Command command =
      program.command("tune", "Find a cheap mixture of formats within an allowed drop of a score");
  command.option("MODEL", &t.location.model,
                 "Float ONNX file or folder (default: the one calibrated last in this folder)");
  options->task_arguments.add(command, t.task, TaskUse::scores);
  command.option("--calib", &t.statistics, "Statistics (default: MODEL.calib.json)")
      .type_name("FILE");
  command.option("--recipe,--format", &t.recipe, "Where to start from")
      .one_of(recipe_names())
      .type_name("NAME")
      .show_default();
  command.option("--observer", &t.observer, "How activation statistics become a range")
      .type_name("NAME")
      .show_default();
  command.flag("--quantize-head", &t.quantize_head, "Pooler and classifier too");
  add_search_options(command, t);
  command.option("-o,--output", &t.output, "Plan to write (default: MODEL.<recipe>-tuned.json)")
      .type_name("FILE");
  command
      .option("--checkpoint", &t.checkpoint,
              "Where scores are kept while it runs (default: OUTPUT.checkpoint)")
      .type_name("FILE");
  command.flag("--restart", &t.restart, "Ignore what the checkpoint holds");
  command.flag("--force", &t.force, "Replace existing files that fp8q did not write");
  add_execution_options(command, t.execution);
  add_tokenizer_options(command, t.location.tokenizer, t.location.config);
  add_global_options(command, globals);
  command.footer(
      "An interrupted run is continued by the same command. Exit code 1: no plan meets the "
      "demand.\n\n"
      "Examples:\n  fp8q tune --task sst2 --recipe int8 --max-drop 0.5\n"
      "  fp8q tune bert-sst2/ --task sst2 --data glue_data --recipe int8 --confidence 0.95 -o "
      "plan.json\n"
      "  fp8q tune bert-squad/ --task squad --data squad/ --max-length 256 --doc-stride 96\n"
      "  fp8q tune bert-sst2/ --task sst2 --data glue_data --recipe int8 --holdout 0.5\n"
      "  fp8q convert bert-sst2/ --plan plan.json");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
