#include "fp8q/calibrate.h"

#include <algorithm>

#include "api/option_checks.h"
#include "base/error.h"
#include "base/file_facts.h"
#include "base/interruption.h"
#include "calibrate/observer.h"
#include "calibrate/run.h"
#include "encoder/widen.h"
#include "onnx/upgrade.h"
#include "quantize/coverage.h"
#include "session/bundle.h"
#include "session/calibration_text.h"
#include "session/execution.h"
#include "session/make_engine.h"
#include "session/outputs.h"

namespace fp8q {
namespace {

Provenance provenance_of(const CalibrateOptions& options, const Bundle& bundle,
                         const CalibrationText& text) {
  return {.version = std::string(version()),
          .model_name = bundle.file.path.filename().string(),
          .model_sha256 = bundle.file.sha256,
          .tokenizer_sha256 = text.tokenizer_sha256,
          .data_path = text.facts.path.string(),
          .data_sha256 = text.facts.sha256,
          .builtin_data = text.facts.builtin,
          .random_data = text.facts.random,
          .task = text.task,
          .max_length = static_cast<int64_t>(text.max_length),
          .seed = text.facts.random ? options.seed : 0,
          .examples = 0,
          .tokens = 0};
}

// A Site without a single finite value gives no scale, and shows that the model is broken.
void check_observed(const Bundle& bundle, const Statistics& statistics) {
  for (const SiteRecord& record : statistics.sites)
    if (record.statistics.count() == 0 && record.statistics.nonfinite() > 0)
      fail(ErrorCode::bad_model,
           "{}: all values at {} are NaN or infinite; a weight before it may be, too",
           printable(bundle.file.path.string()), printable(record.path));
}

struct CalibrateOutputs {
  fs::path statistics;
  fs::path checkpoint;
};

CalibrateOutputs outputs_of(const CalibrateOptions& options) {
  CalibrateOutputs paths{options.output, {}};
  if (paths.statistics.empty()) {
    const bool sharded = options.shards > 1;
    paths.statistics = model_file(options.location.model)
                           .replace_extension(sharded ? fmt::format(".calib.{}of{}.json",
                                                                    options.shard, options.shards)
                                                      : ".calib.json");
  }
  paths.checkpoint = paths.statistics;
  paths.checkpoint += ".checkpoint";
  return paths;
}

CalibrateOutputs checked_outputs(const CalibrateOptions& options) {
  check_files(files_of(options));
  CalibrateOutputs paths = outputs_of(options);
  for (const fs::path& path : {paths.statistics, paths.checkpoint})
    check_output({.path = path, .force = options.force}, is_statistics_file);
  return paths;
}

void check_options(const CalibrateOptions& options) {
  if (options.execution.device != "cpu" && options.execution.device != "auto")
    fail(ErrorCode::usage,
         "--device {}: calibration runs on the CPU, in FP32, so that its statistics are the same "
         "bits everywhere; leave the option out",
         printable(options.execution.device));
  require_at_least("--batch", options.execution.batch, 1);
  require_at_least("--examples", options.examples, 1);
  check_shard(options.shard, options.shards);
}

// Throws before the run what convert would throw after it, whatever the statistics hold. The copies
// are made for these errors alone: calibration runs the model as it is.
void check_convertible(const Bundle& bundle) {
  Model upgraded = bundle.model;  // shares the payloads
  upgrade_opset(upgraded);
  std::vector<Site> typed = bundle.sites;
  find_types(bundle.model, typed);
  const PlanRequest request = recipe_request(default_recipe(), bundle.sites);
  require_coverage(bundle.model, bundle.sites, request, printable(bundle.file.path.string()));
  check_weights(bundle.model, bundle.sites, request);
}

// Returns the memory that the statistics take, and their text while it is written.
uint64_t statistics_bytes(const Bundle& bundle, size_t examples) {
  constexpr uint64_t kSite = 64 << 10;
  const auto sites =
      static_cast<uint64_t>(std::ranges::count(bundle.sites, SiteKind::activation, &Site::kind));
  return sites * (kSite + examples / SiteStatistics::kExamplesPerGroup * 100);
}

TextRequest text_of(const CalibrateOptions& options) {
  return {.tokenizer = options.location.tokenizer,
          .config = options.location.config,
          .task = options.task,
          .examples = options.examples,
          .random_seed = options.random_data ? std::optional(options.seed) : std::nullopt};
}

CalibratedSite summary(const SiteRecord& record) {
  const SiteStatistics& s = record.statistics;
  return {record.value, record.path, s.count(),  s.absmax(), s.min(),
          s.max(),      s.mean(),    s.stddev(), s.zeros(),  s.nonfinite()};
}

}  // namespace

CallFiles files_of(const CalibrateOptions& options) {
  const ModelLocation& location = options.location;
  const CalibrateOutputs outputs = outputs_of(options);
  CallFiles files{files_of_model(location.model, {location.tokenizer, location.config}),
                  {outputs.statistics, outputs.checkpoint}};
  append(files.inputs, files_of_data(options.task));
  return files;
}

CalibrateResult calibrate(const CalibrateOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  check_options(options);
  ExecutionOptions execution = options.execution;
  execution.device = "cpu";
  CalibrateResult result;
  const CalibrateOutputs paths = checked_outputs(options);

  const Bundle bundle = open_model(options.location.model);
  require_float_model(bundle);
  check_convertible(bundle);
  const CalibrationText text = calibration_text(text_of(options), bundle, result.notes);
  Workload workload = workload_of(text.encodings, options.execution.batch);
  workload.watching = Watching::observer;
  workload.kept = statistics_bytes(bundle, text.encodings.size());
  workload.batch = fitting_batch(bundle, execution, workload);
  const auto engine = make_engine(bundle, execution, result.notes, workload);
  const CalibrationRun run{
      .sites = bundle.sites,
      .part = part_of_shard(text.encodings.size(), options.shard, options.shards),
      .provenance = provenance_of(options, bundle, text),
      .batch = workload.batch,
      .checkpoint = paths.checkpoint,
      .checkpoint_seconds = options.checkpoint_seconds};
  const auto run_examples = [&](size_t begin, size_t end, const SeeValues& see) {
    PackedBatch batch;
    for (size_t e = begin; e < end; ++e)
      batch.append(text.encodings[e].ids, text.encodings[e].type_ids);
    engine->run(batch, see);
    return batch.tokens();
  };
  const Statistics statistics = run_calibration(run, run_examples, progress, result.notes);
  check_observed(bundle, statistics);
  save_statistics(statistics, paths.statistics);
  std::error_code ignored;
  fs::remove(paths.checkpoint, ignored);
  announce_checkpoint({});

  for (const auto& record : statistics.sites) {
    result.sites.push_back(summary(record));
    if (record.statistics.nonfinite() > 0)
      result.notes.push_back(fmt::format("{}: {} values are not finite and were left out",
                                         record.path, record.statistics.nonfinite()));
  }
  for (const auto& observer : all_observers())
    if (needs_statistics(observer.id)) result.observers.emplace_back(observer.name);
  result.model = bundle.file;
  result.statistics = facts_of(paths.statistics);
  if (!statistics.part.whole()) result.part = statistics.part.text();
  result.data = text.facts;
  result.task = text.task;
  result.examples = static_cast<size_t>(statistics.provenance.examples);
  result.tokens = static_cast<size_t>(statistics.provenance.tokens);
  result.execution = with_costs(execution_on(*engine), watch);
  return result;
}

}  // namespace fp8q
