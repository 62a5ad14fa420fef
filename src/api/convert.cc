#include "fp8q/convert.h"

#include <algorithm>

#include "api/convert_request.h"
#include "base/error.h"
#include "base/file.h"
#include "base/file_facts.h"
#include "base/memory.h"
#include "base/memory_plan.h"
#include "base/stopwatch.h"
#include "calibrate/observer.h"
#include "calibrate/statistics.h"
#include "graph/site_names.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "quantize/coverage.h"
#include "quantize/manifest.h"
#include "quantize/memory_needs.h"
#include "quantize/plan_file.h"
#include "quantize/plan_sizes.h"
#include "quantize/ranges.h"
#include "quantize/rewrite.h"
#include "session/bundle.h"
#include "session/model_statistics.h"
#include "session/outputs.h"
#include "study/plan_maker.h"

namespace fp8q {
namespace {

struct ConvertPaths {
  fs::path source;
  fs::path statistics;
  fs::path converted;
};

bool is_converted_model(const fs::path& path) {
  try {
    return read_manifest(load_model(path)).has_value();
  } catch (const Error&) {
    return false;
  }
}

// Returns what stands between the model's name and ".onnx" if no output is given.
std::string output_label(const ConvertOptions& options, const Recipe& recipe) {
  if (options.plan) return options.plan->stem().string();
  return fmt::format("{}{}{}", recipe.name, options.smooth_quant.empty() ? "" : "-smooth",
                     options.sites.empty() ? "" : "-mixed");
}

ConvertPaths paths_of(const ConvertOptions& options, const Recipe& recipe) {
  ConvertPaths paths;
  paths.source = model_file(options.model);
  paths.statistics = statistics_path(paths.source, options.statistics);
  paths.converted = options.output;
  if (paths.converted.empty())
    paths.converted =
        fs::path(paths.source)
            .replace_extension(fmt::format(".{}.onnx", output_label(options, recipe)));
  return paths;
}

CallFiles files_of(const ConvertOptions& options, const ConvertPaths& paths) {
  CallFiles files{files_of_model(paths.source),
                  {paths.converted, options.write_plan.value_or(fs::path()),
                   options.write_ranges.value_or(fs::path())}};
  files.inputs.push_back(paths.statistics);
  if (options.plan) files.inputs.push_back(*options.plan);
  return files;
}

ConvertPaths checked_paths(const ConvertOptions& options, const Recipe& recipe) {
  ConvertPaths paths = paths_of(options, recipe);
  check_files(files_of(options, paths));
  check_output({paths.converted, options.force, options.keep_existing}, is_converted_model);
  if (options.write_plan)
    check_output({.path = *options.write_plan, .force = options.force}, is_plan_file);
  if (options.write_ranges)  // never seen as fp8q's own: the other tool writes the same format
    check_output({.path = *options.write_ranges, .force = options.force},
                 [](const fs::path&) { return false; });
  return paths;
}

// Returns the statistics if there are any. Throws an Error if there are none but they are needed.
// The ranges of another tool's table go into the request instead.
std::optional<Statistics> calibration_for(const ConvertOptions& options, const fs::path& path,
                                          const Bundle& bundle, PlanRequest& request) {
  const bool needed = needs_statistics(request, bundle.sites);
  if (!is_there(path)) {
    if (!needed && !options.statistics) return std::nullopt;
    require_statistics(path, bundle);
  }
  const std::string bytes = read_file(path, kMaxStatisticsBytes);
  if (!is_range_table(bytes)) return statistics_from(bytes, path, bundle);
  if (!options.observer.empty())
    fail(ErrorCode::usage, "--observer {}: {} holds ranges, not what observers look at",
         printable(options.observer), printable(path.string()));
  if (request.options.smooth_quant)
    fail(ErrorCode::usage,
         "--smooth-quant: {} holds a range for each tensor, and smoothing needs those of channels: "
         "run `fp8q calibrate {}` and convert with its statistics",
         printable(path.string()), printable(bundle.file.path.string()));
  take_ranges(range_table_from(bytes, path.string()), path, bundle.sites, request);
  return std::nullopt;
}

void write_ranges(const Plan& plan, const fs::path& path) {
  const RangeTable table = ranges_of(plan);
  write_file_atomically(
      path, path.extension() == ".json" ? to_onnxruntime_table(table) : to_tensorrt_cache(table));
}

ConvertedSite converted(const SitePlan& plan) {
  ConvertedSite site{.name = plan.value,
                     .path = plan.path,
                     .kind = std::string(name_of(plan.kind)),
                     .format = "float",
                     .reason = plan.reason};
  if (!plan.quantized()) return site;
  site.format = info(plan.format).name;
  site.granularity = plan.granularity.text();
  site.observer = plan.observer.text();
  site.sqnr_db = plan.sqnr_db;
  if (plan.kind == SiteKind::activation && !plan.factors.empty()) site.alpha = plan.alpha;
  if (plan.scales.empty()) return site;
  const auto [low, high] = std::ranges::minmax(plan.scales);
  site.scale_min = low;
  site.scale_max = high;
  return site;
}

void add_sizes(const PlanSizes& sizes, ConvertResult& result) {
  result.matrix_bytes_before = sizes.matrices_before;
  result.matrix_bytes_after = sizes.matrices_after;
  result.embedding_bytes_before = sizes.tables_before;
  result.embedding_bytes_after = sizes.tables_after;
}

// Says what is quantized of a graph whose parts are not known.
std::string note_of_unrecognized(const Plan& plan, const Bundle& bundle) {
  size_t quantized = 0, head = 0;
  for (size_t i = 0; i < plan.sites.size(); ++i) {
    if (plan.sites[i].kind != SiteKind::weight) continue;
    quantized += plan.sites[i].quantized();
    head += bundle.sites[i].role == SiteRole::head && !plan.sites[i].quantized();
  }
  return fmt::format(
      "not recognized as an encoder ({}): {} products with a constant weight are quantized, found "
      "one by one{}",
      bundle.not_encoder_reason, quantized,
      head == 0 ? ""
                : fmt::format("; {} behind the last normalization, taken for the head, stay in "
                              "floating point unless --quantize-head is given",
                              head));
}

void add_notes(const Plan& plan, const Bundle& bundle, std::vector<std::string>& notes) {
  if (!bundle.encoder) notes.push_back(note_of_unrecognized(plan, bundle));
  int64_t zero_channels = 0;
  for (const SitePlan& site : plan.sites) {
    zero_channels += site.zero_channels;
    if (site.nonfinite > 0)
      notes.push_back(fmt::format("{}: {} calibration values were not finite and were left out",
                                  site.path, site.nonfinite));
  }
  if (zero_channels > 0)
    notes.push_back(fmt::format("{} channels are all zero and have scale 1", zero_channels));
}

}  // namespace

CallFiles files_of(const ConvertOptions& options) {
  return files_of(options, paths_of(options, *plan_inputs(options).recipe));
}

ConvertResult convert(const ConvertOptions& options) {
  const Stopwatch watch;
  const PlanInputs inputs = plan_inputs(options);
  const ConvertPaths paths = checked_paths(options, *inputs.recipe);
  Bundle bundle = open_model(paths.source);
  require_float_model(bundle);

  upgrade_for_conversion(bundle);
  PlanRequest request = plan_request(inputs, bundle.sites);
  require_coverage(bundle.model, bundle.sites, request, printable(paths.source.string()));
  const auto statistics = calibration_for(options, paths.statistics, bundle, request);
  ConversionNeeds(GraphIndex(bundle.model.graph), bundle.sites, request)
      .require(printable(paths.source.string()));
  PlanMaker maker({bundle.model, bundle.sites, bundle.encoder ? &*bundle.encoder : nullptr,
                   statistics ? &*statistics : nullptr});
  Plan plan = maker.plan(request);
  if (std::ranges::none_of(plan.sites, &SitePlan::quantized))
    fail(ErrorCode::unsupported, "{}: has no matrix product that can be quantized",
         printable(paths.source.string()));
  ConvertResult result;
  if (statistics) result.statistics = facts_of(paths.statistics);
  plan.source = {std::string(version()), paths.source.filename().string(), bundle.file.sha256,
                 bundle.file.bytes, result.statistics ? result.statistics->sha256 : ""};
  const ModelFiles written =
      save_model(quantize_model(bundle.model, bundle.sites, plan), paths.converted);
  if (options.write_plan) save_plan(plan, *options.write_plan);
  if (options.write_ranges) write_ranges(plan, *options.write_ranges);

  for (const SitePlan& site : plan.sites) result.sites.push_back(converted(site));
  add_sizes(sizes_of(plan, bundle.model), result);
  add_notes(plan, bundle, result.notes);
  result.source = bundle.file;
  result.output = written.facts(paths.converted);
  result.recipe = request.label();
  if (options.write_plan) result.plan = *options.write_plan;
  if (!inputs.model_sha256.empty() && inputs.model_sha256 != bundle.file.sha256)
    result.notes.push_back(fmt::format("{} was written for another model ({})",
                                       options.plan->string(), printable(inputs.model_name)));
  result.elapsed_s = watch.seconds();
  result.peak_rss_bytes = peak_rss_bytes();
  result.planned_bytes = planned_memory_bytes();
  return result;
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : all_recipes()) names.emplace_back(recipe.name);
  return names;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const FormatInfo& format : all_formats()) names.emplace_back(format.name);
  return names;
}

std::vector<std::string> observer_names() {
  std::vector<std::string> names;
  for (const auto& observer : all_observers()) names.emplace_back(observer.name);
  return names;
}

}  // namespace fp8q
