#include "fp8q/convert.h"

#include <algorithm>
#include <set>

#include "api/bundle.h"
#include "api/run_facts.h"
#include "base/error.h"
#include "calibrate/observer.h"
#include "calibrate/statistics.h"
#include "graph/graph.h"
#include "onnx/load.h"
#include "onnx/save.h"
#include "onnx/upgrade.h"
#include "quantize/constants.h"
#include "quantize/manifest.h"
#include "quantize/plan.h"
#include "quantize/rewrite.h"

namespace fp8q {
namespace {

constexpr int64_t kOutputOpset = 21;  // the oldest with every 8-bit type and 1-D FP8 zero points

struct Outputs {
  fs::path source;
  fs::path statistics;
  fs::path converted;
};

bool written_by_fp8q(const fs::path& path) {
  try {
    return read_manifest(load_model(path)).has_value();
  } catch (const Error&) {
    return false;
  }
}

Outputs resolve_paths(const ConvertOptions& options) {
  Outputs paths;
  paths.source = model_file(options.model);
  paths.statistics =
      options.statistics.value_or(fs::path(paths.source).replace_extension(".calib.json"));
  paths.converted = options.output.empty()
                        ? fs::path(paths.source).replace_extension("." + options.recipe + ".onnx")
                        : options.output;
  std::vector<fs::path> inputs = files_of_model(options.model);
  inputs.push_back(paths.statistics);
  check_output({paths.converted, inputs, options.force}, written_by_fp8q);
  return paths;
}

Statistics statistics_for(const Bundle& bundle, const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    fail(ErrorCode::file,
         "{}: there are no statistics; run `fp8q calibrate {}` first, or name them with --calib",
         printable(path.string()), printable(bundle.file.path.string()));
  Statistics statistics = load_statistics(path);
  if (statistics.provenance.model_sha256 != bundle.file.sha256)
    fail(ErrorCode::bad_data,
         "{}: holds the statistics of another model ({}, sha256 {}), not of {} (sha256 {}); "
         "calibrate this one",
         printable(path.string()), printable(statistics.provenance.model_name),
         statistics.provenance.model_sha256.substr(0, 12), printable(bundle.file.path.string()),
         bundle.file.sha256.substr(0, 12));
  return statistics;
}

PlanOptions plan_options(const ConvertOptions& options) {
  const auto observer = observer_named(options.observer);
  if (!observer)
    fail(ErrorCode::usage, "--observer {}: is none of {}", printable(options.observer),
         fmt::join(observer_names(), ", "));
  return {.quantize_head = options.quantize_head,
          .quantize_embeddings = options.quantize_embeddings,
          .observer = *observer};
}

const Recipe& recipe_for(const std::string& name) {
  const Recipe* recipe = recipe_named(name);
  if (!recipe)
    fail(ErrorCode::usage, "--format {}: is none of {}", printable(name),
         fmt::join(recipe_names(), ", "));
  return *recipe;
}

ConvertedSite converted(const SitePlan& plan) {
  ConvertedSite site{.name = plan.value,
                     .path = plan.path,
                     .kind = plan.kind == SiteKind::activation ? "activation" : "weight",
                     .format = "float",
                     .reason = plan.reason};
  if (!plan.quantized()) return site;
  site.format = info(plan.format).name;
  site.granularity = name(plan.granularity);
  const auto [low, high] = std::ranges::minmax(plan.scales);
  site.scale_min = low;
  site.scale_max = high;
  if (plan.sqnr_db) site.sqnr_db = *plan.sqnr_db;
  return site;
}

// Bytes of the quantised matrices and of the embedding tables, against FP32. Each stored constant
// counts once.
void count_sizes(const Plan& plan, const Model& model, ConvertResult& result) {
  const GraphIndex index(model.graph);
  std::set<std::string> seen;
  const auto elements_of = [&](const std::string& value) -> uint64_t {
    const auto stored = stored_constant(index, value);
    if (!stored || (!stored->initializer.empty() && !seen.insert(stored->initializer).second))
      return 0;
    return static_cast<uint64_t>(stored->tensor.size());
  };
  for (const SitePlan& site : plan.sites) {
    if (site.kind != SiteKind::weight || !site.quantized()) continue;
    const uint64_t elements = elements_of(site.value);
    result.matrix_bytes_before += elements * sizeof(float);
    result.matrix_bytes_after += elements;
  }
  for (const TablePlan& table : plan.tables) {
    const auto stored = stored_constant(index, table.value);
    const uint64_t elements = elements_of(table.value);
    result.embedding_bytes_before += elements * sizeof(float);
    result.embedding_bytes_after += elements * (table.storage == TableStorage::quantized_rows ? 1
                                                : table.storage == TableStorage::float16
                                                    ? sizeof(Float16)
                                                    : element_size(stored->tensor.dtype()));
  }
}

void add_notes(const Plan& plan, const Bundle& bundle, std::vector<std::string>& notes) {
  if (!bundle.encoder)
    notes.push_back(
        fmt::format("not recognised as an encoder ({}): products with a constant "
                    "weight are quantised, found one by one",
                    bundle.not_encoder_reason));
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

ConvertResult convert(const ConvertOptions& options) {
  const Stopwatch watch;
  const Recipe& recipe = recipe_for(options.recipe);
  const PlanOptions plan_settings = plan_options(options);
  const Outputs paths = resolve_paths(options);
  Bundle bundle = open_model(paths.source);
  require_float_model(bundle);
  const Statistics statistics = statistics_for(bundle, paths.statistics);

  // Upgrading may insert nodes, so the Sites' places are found again in the upgraded graph; their
  // names stay.
  upgrade_opset(bundle.model, kOutputOpset);
  find_sites(bundle);
  Plan plan = make_plan(bundle.model, bundle.sites, &statistics, recipe, plan_settings);
  if (std::ranges::none_of(plan.sites, &SitePlan::quantized))
    fail(ErrorCode::unsupported, "{}: has no matrix product that can be quantised",
         printable(paths.source.string()));
  ConvertResult result;
  result.statistics = facts_of(paths.statistics);
  plan.source = {std::string(version()), paths.source.filename().string(), bundle.file.sha256,
                 bundle.file.bytes, result.statistics.sha256};
  save_model(quantize_model(bundle.model, bundle.sites, plan), paths.converted);

  for (const SitePlan& site : plan.sites) result.sites.push_back(converted(site));
  count_sizes(plan, bundle.model, result);
  add_notes(plan, bundle, result.notes);
  result.source = bundle.file;
  result.output = facts_of(paths.converted);
  result.recipe = std::string(recipe.name);
  result.elapsed_s = watch.seconds();
  result.peak_rss_bytes = peak_rss_bytes();
  return result;
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const Recipe& recipe : all_recipes()) names.emplace_back(recipe.name);
  return names;
}

std::vector<std::string> observer_names() {
  std::vector<std::string> names;
  for (const auto& observer : all_observers()) names.emplace_back(observer.name);
  return names;
}

}  // namespace fp8q
