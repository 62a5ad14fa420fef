// fp8q bench: measures how fast models run, formats side by side, against the roof of the machine.

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <span>

#include "fp8q/benchmark.h"
#include "report/json.h"
#include "tools/fp8q/command.h"
#include "tools/fp8q/output.h"
#include "tools/fp8q/table.h"

namespace fp8q::cli {
namespace {

struct Options {
  BenchmarkOptions benchmark;
  bool compare = false;
};

// Writes at least four digits, without an exponent.
std::string digits(double value) {
  return fmt::format("{:.{}f}", value, value < 1 ? 4 : value < 10 ? 3 : value < 100 ? 2 : 1);
}

std::string gops(double operations, double seconds) {
  return operations > 0 ? fmt::format("{:.1f}", operations / seconds / 1e9) : "";
}

std::string of_roof(double fraction, const std::string& unit) {
  return fraction > 0 ? fmt::format("{:.0f} % {}", 100 * fraction, unit) : "";
}

std::string label(const BenchmarkVariant& v) {
  return v.model ? short_path(v.model->path.string()) : v.format;
}

std::string title(const BenchmarkResult& r) {
  std::string text = r.shape.empty() ? "" : fmt::format("{}, random weights, ", r.shape);
  text += "random token ids";
  if (r.ragged) text += ", lengths from a quarter of the length to all of it";
  return text + "\n";
}

std::string main_table(const BenchmarkResult& r) {
  std::vector<std::string> heading = {"format",      "batch",    "length", "ms",     "p10..p90",
                                      "sequences/s", "tokens/s", "Gop/s",  "of roof"};
  std::vector<bool> right(heading.size(), true);
  right[0] = false;
  const bool models = r.shape.empty();
  if (models) {
    heading.insert(heading.begin(), "model");
    right.insert(right.begin(), false);
  }
  Table table(heading, right);
  for (const BenchmarkRow& row : r.rows) {
    const BenchmarkVariant& v = r.variants[row.variant];
    std::vector<std::string> line = {v.format,
                                     std::to_string(row.batch),
                                     std::to_string(row.length),
                                     digits(row.median_ms),
                                     digits(row.p10_ms) + ".." + digits(row.p90_ms),
                                     fmt::format("{:.1f}", row.sequences_per_s),
                                     fmt::format("{:.0f}", row.tokens_per_s),
                                     gops(row.operations, row.median_ms / 1e3),
                                     of_roof(row.roof_fraction, row.unit)};
    if (models) line.insert(line.begin(), label(v));
    table.add(std::move(line));
  }
  return table.str();
}

// Calls f(rows) with the rows of each cell, one per variant.
template <typename F>
void for_each_cell(const BenchmarkResult& r, const F& f) {
  const size_t variants = r.variants.size();
  for (size_t i = 0; i < r.rows.size(); i += variants) f(std::span(r.rows).subspan(i, variants));
}

std::string comparison(const BenchmarkResult& r) {
  std::vector<std::string> heading = {"batch", "length"};
  for (size_t v = 0; v < r.variants.size(); ++v) {
    heading.push_back(label(r.variants[v]) + " ms");
    if (v > 0) heading.emplace_back("speed");
  }
  Table table(heading, std::vector<bool>(heading.size(), true));
  for_each_cell(r, [&](std::span<const BenchmarkRow> rows) {
    std::vector<std::string> line = {std::to_string(rows[0].batch), std::to_string(rows[0].length)};
    for (const BenchmarkRow& row : rows) {
      line.push_back(digits(row.median_ms));
      if (row.variant > 0) line.push_back(fmt::format("{:.2f}x", row.ratio));
    }
    table.add(std::move(line));
  });
  return fmt::format("\n{}", table.str());
}

// Makes a table with a row per stage and a column per variant. Variants may divide a stage among
// units differently, so stages are joined by name.
std::string stage_table(const BenchmarkResult& r, std::span<const BenchmarkRow> rows) {
  std::vector<std::string> heading = {
      fmt::format("batch {}, length {}", rows[0].batch, rows[0].length)};
  std::vector<std::string> stages;
  for (const BenchmarkRow& row : rows) {
    heading.insert(heading.end(),
                   {label(r.variants[row.variant]) + " ms", "share", "Gop/s", "of roof"});
    for (const BenchmarkStage& s : row.stages)
      if (std::ranges::find(stages, s.stage) == stages.end()) stages.push_back(s.stage);
  }
  std::vector<bool> right(heading.size(), true);
  right[0] = false;
  Table table(heading, right);
  for (const std::string& stage : stages) {
    std::vector<std::string> line = {stage};
    for (const BenchmarkRow& row : rows) {
      BenchmarkStage sum;
      for (const BenchmarkStage& s : row.stages) {
        if (s.stage != stage) continue;
        // If a stage has several units, the one with the most operations stands for it.
        if (s.operations >= sum.operations) sum.unit = s.unit, sum.roof_fraction = s.roof_fraction;
        sum.seconds += s.seconds;
        sum.share += s.share;
        sum.operations += s.operations;
      }
      line.insert(line.end(),
                  {digits(1e3 * sum.seconds), fmt::format("{:.1f} %", 100 * sum.share),
                   gops(sum.operations, sum.seconds), of_roof(sum.roof_fraction, sum.unit)});
    }
    table.add(std::move(line));
  }
  return fmt::format("\n{}", table.str());
}

std::string closing_text(const BenchmarkResult& r) {
  std::string text;
  for (const BenchmarkVariant& v : r.variants)
    if (!v.kernel.empty()) text += fmt::format("  {}: {}\n", label(v), v.kernel);
  std::vector<std::string> roofs;
  for (const BenchmarkRoof& roof : r.roofs)
    roofs.push_back(fmt::format("{} {:.1f} Gop/s", roof.unit, roof.operations_per_s / 1e9));
  if (!roofs.empty()) text += fmt::format("  measured roof: {}\n", fmt::join(roofs, ", "));
  return text + fmt::format("  {}, {:.2f} s\n", r.execution.description, r.execution.elapsed_s);
}

void run(const Options& options, const Globals& globals) {
  check_outputs(globals, files_of(options.benchmark));
  const BenchmarkResult result = benchmark(options.benchmark, make_progress(globals));
  print(globals, title(result) + main_table(result));
  if (options.compare) print(globals, comparison(result));
  if (options.benchmark.stages)
    for_each_cell(result, [&](auto rows) { print(globals, stage_table(result, rows)); });
  print(globals, closing_text(result));
  print_notes(globals, result.notes);
  write_json(globals, to_json(result));
}

// Adds the options for what runs if no model is named.
void add_random_weights_options(Command& command, BenchmarkOptions& b, Option models) {
  command
      .option("--shape", &b.shape,
              fmt::format("Random weights: {}", fmt::join(benchmark_shape_names(), ", ")))
      .one_of(benchmark_shape_names())
      .type_name("NAME")
      .show_default()
      .excludes(models);
  command
      .option(
          "--format", &b.formats,
          fmt::format("Random weights quantized to {}", fmt::join(benchmark_format_names(), ", ")))
      .comma_separated()
      .one_of(benchmark_format_names())
      .type_name("NAME,...")
      .show_default()
      .excludes(models);
}

// Adds the options for how much runs at a time.
void add_size_options(Command& command, BenchmarkOptions& b) {
  command.option("--batch", &b.batches, "Sequences per run")
      .comma_separated()
      .range(1, 4096)
      .type_name("N,...")
      .show_default();
  command.option("--length", &b.lengths, "Tokens per sequence")
      .comma_separated()
      .range(1, 100000)
      .type_name("N,...")
      .show_default();
  command.flag("--ragged", &b.ragged, "Lengths from a quarter of --length to all of it");
}

// Adds the options for how long each format runs.
void add_time_options(Command& command, BenchmarkOptions& b) {
  const Option repeat =
      command.option("--repeat", &b.repeat, "Timed runs of each format (default: --min-time)")
          .range(1, 1000000)
          .type_name("N");
  command.option("--min-time", &b.min_time, "Seconds of timed runs of each format, at least 3 runs")
      .range(0.0, 3600.0)
      .type_name("S")
      .show_default()
      .excludes(repeat);
}

}  // namespace

void add_bench(CommandLine& program, Globals& globals) {
  auto options = std::make_shared<Options>();
  BenchmarkOptions& b = options->benchmark;
  Command command = program.command("bench", "Measure latency and throughput");
  const Option models = command.option(
      "MODEL", &b.models, "ONNX files or folders, run as they stand (default: random weights)");
  add_random_weights_options(command, b, models);
  add_size_options(command, b);
  add_time_options(command, b);
  command.flag("--compare", &options->compare,
               "Also list formats side by side, with their speed against the first");
  command.flag("--kernels", &b.stages, "Also list the parts of the forward pass");
  command.option("--seed", &b.seed, "Seed of weights and token ids").show_default();
  add_device_options(command, b.execution);
  add_gelu_option(command, b.execution);
  command
      .option("--tokens", &b.execution.tokens_at_a_time,
              "Tokens a GPU works on at a time (default: by its cache and multiprocessors)")
      .range(1, 1 << 20)
      .type_name("N");
  add_global_options(command, globals);
  command.footer(
      "Examples:\n  fp8q bench --shape bert-base --format fp32,e4m3,int8 --compare\n"
      "  fp8q bench model.onnx model.e4m3.onnx --batch 1,8 --length 32,128 --kernels");
  command.action([options, &globals] { run(*options, globals); });
}

}  // namespace fp8q::cli
