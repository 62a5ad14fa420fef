#include "fp8q/tune.h"

#include <algorithm>
#include <cmath>

#include "api/option_checks.h"
#include "base/error.h"
#include "base/file_facts.h"
#include "base/interruption.h"
#include "base/stopwatch.h"
#include "evaluate/text_batches.h"
#include "quantize/choice.h"
#include "quantize/plan_file.h"
#include "session/bundle_scorer.h"
#include "session/calibration_text.h"
#include "session/execution.h"
#include "session/make_engine.h"
#include "session/model_statistics.h"
#include "session/outputs.h"
#include "session/tokenizer.h"
#include "tasks/spread.h"
#include "text/encodings.h"

namespace fp8q {
namespace {

void check_numbers(const TuneOptions& options) {
  if (!(options.max_drop >= 0) || !std::isfinite(options.max_drop))
    fail(ErrorCode::usage, "--max-drop {}: must be 0 or more", options.max_drop);
  // The end of an interval is a sample of the bootstrap. Intervals wider than this would end beyond
  // the last sample.
  constexpr double kMost = 1 - 2.0 / kBootstrapRounds;
  if (options.confidence && !(*options.confidence > 0 && *options.confidence <= kMost))
    fail(ErrorCode::usage,
         "--confidence {}: must lie between 0 and {:g} (of {} samples of the bootstrap), as 0.95",
         *options.confidence, kMost, kBootstrapRounds);
  if (!(options.holdout >= 0 && options.holdout < 1))
    fail(ErrorCode::usage, "--holdout {}: must be a share of the examples below 1, as 0.5",
         options.holdout);
  require_at_least("--examples", options.examples, 1);
  require_at_least("--batch", options.execution.batch, 1);
}

TuneRequest request_of(const TuneOptions& options) {
  check_numbers(options);
  TuneRequest request{.max_drop = options.max_drop,
                      .relative = options.relative,
                      .confidence = options.confidence,
                      .evaluations = options.evaluations,
                      .holds_out = options.holdout > 0};
  request.recipe = &require_recipe(options.recipe, "--recipe");
  request.plan.observer = ObserverChoice::parse(options.observer, "--observer");
  request.plan.quantize_head = options.quantize_head;
  for (const std::string& name : options.fallback) {
    const Format format = require_format(name, "--fallback");
    if (format == request.recipe->activations)
      fail(ErrorCode::usage, "--fallback: \"{}\" is what the recipe has already", name);
    if (std::ranges::count(request.fallback, format))
      fail(ErrorCode::usage, "--fallback: \"{}\" is there twice", name);
    request.fallback.push_back(format);
  }
  if (request.fallback.empty() && !options.float_only && info(request.recipe->activations).integer)
    request.fallback = {Format::e4m3};
  return request;
}

struct TunePaths {
  fs::path statistics, plan, checkpoint;
};

TunePaths paths_of(const TuneOptions& options) {
  const fs::path model = model_file(options.location.model);
  TunePaths paths{statistics_path(model, options.statistics), options.output, options.checkpoint};
  if (paths.plan.empty())
    paths.plan = fs::path(model).replace_extension(fmt::format(".{}-tuned.json", options.recipe));
  if (paths.checkpoint.empty()) paths.checkpoint = paths.plan.string() + ".checkpoint";
  return paths;
}

TunePaths checked_paths(const TuneOptions& options) {
  check_files(files_of(options));
  TunePaths paths = paths_of(options);
  check_output({paths.plan, options.force, options.keep_existing}, is_plan_file);
  check_output({paths.checkpoint, options.force, options.keep_existing}, is_tune_checkpoint);
  return paths;
}

// Returns everything that scores depend on, as text.
std::string settings_of(const TuneOptions& options, const TuneRequest& request,
                        const Bundle& bundle, const std::string& statistics,
                        const TaskScorer& scorer, const std::vector<Encoding>& text,
                        const std::string& device) {
  std::vector<std::string_view> fallback;
  for (const Format format : request.fallback) fallback.push_back(info(format).name);
  const ExecutionOptions& e = options.execution;
  return fmt::format(
      "version {}, model {}, statistics {}, recipe {}, observer {}, head {}, fallback {}, task {}, "
      "seed {}, holdout {}, confidence {}, harm {}, engine {}, reference {}, compute {}, gelu {}",
      version(), bundle.file.sha256, statistics, request.recipe->name, request.plan.observer.text(),
      request.plan.quantize_head, fmt::join(fallback, "+"), scorer.fingerprint(), options.seed,
      options.holdout, options.confidence.value_or(0.95), sha256_of(text), device, e.reference,
      name_of(e.compute), name_of(e.gelu));
}

Bundle open_float_encoder(const fs::path& location) {
  Bundle bundle = open_model(location);
  require_float_model(bundle);
  if (!bundle.encoder)
    fail(ErrorCode::unsupported,
         "{}: tune needs a model recognized as an encoder, which this is not ({})",
         printable(bundle.file.path.string()), printable(bundle.not_encoder_reason));
  upgrade_for_conversion(bundle);
  return bundle;
}

// Makes the scorer of the examples that the search sees, or of those held out.
TaskScorer scorer_for(const TuneOptions& options, const Bundle& bundle, bool held_out,
                      std::vector<std::string>& notes) {
  return TaskScorer(
      bundle,
      {.tokenizer = options.location.tokenizer,
       .config = options.location.config,
       .task = options.task,
       .side = {.share = options.holdout, .seed = options.seed, .held_out = held_out}},
      {.batch = options.execution.batch, .seed = options.seed}, notes);
}

// Returns text to estimate harm on: training text of the task. If the only text is the file that is
// scored, the examples that are held out are left out.
std::vector<Encoding> trial_text(const TuneOptions& options, const Bundle& bundle,
                                 const TaskScorer& scorer) {
  std::vector<std::string> notes;  // dropped, since the source matters little
  const CalibrationText text = calibration_text({.tokenizer = options.location.tokenizer,
                                                 .config = options.location.config,
                                                 .task = options.task,
                                                 .examples = options.examples,
                                                 .random_seed = {}},
                                                bundle, notes);
  if (options.holdout == 0 || text.facts.sha256 != scorer.data().sha256) return text.encodings;
  const Tokenizer tokenizer =
      tokenizer_for(bundle, {options.location.tokenizer, options.location.config}, notes);
  return calibration_sequences(
      tokenizer, spread_evenly(scorer.data().examples, options.examples), &scorer.task(),
      sequence_length(bundle, tokenizer, options.task.max_length, text.max_length, notes));
}

// `engine` must outlive the result.
TuneInputs inputs_for(const Encoder& encoder, const std::vector<Encoding>& text, size_t batch,
                      Engine& engine) {
  const auto tokens = static_cast<double>(count_tokens(text));
  return {.text = {.batches = batches_of(text, batch), .score = nullptr},
          .sizes = {.tokens = tokens / static_cast<double>(text.size()),
                    .hidden = static_cast<double>(encoder.hidden)},
          .speeds = [&engine] { return engine.product_speeds(); }};
}

// Adds a note if the ranges were observed on the scored examples themselves. Such ranges have seen
// the examples, though not their labels.
void note_seen_data(const Statistics& statistics, const TaskScorer& scorer,
                    std::vector<std::string>& notes) {
  if (statistics.provenance.data_sha256 == scorer.data().sha256)
    notes.push_back(
        "the statistics are of text of the same file, examples that are held out among it; "
        "calibrate on other text to keep them apart");
}

}  // namespace

CallFiles files_of(const TuneOptions& options) {
  const ModelLocation& location = options.location;
  const TunePaths paths = paths_of(options);
  CallFiles files{files_of_model(location.model, {location.tokenizer, location.config}),
                  {paths.plan, paths.checkpoint}};
  files.inputs.push_back(paths.statistics);
  append(files.inputs, files_of_data(options.task));
  return files;
}

TuneResult tune(const TuneOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  const TuneRequest request = request_of(options);
  const TunePaths paths = checked_paths(options);
  TuneResult result;
  const Bundle bundle = open_float_encoder(options.location.model);
  const Statistics statistics = statistics_for(bundle, paths.statistics);
  const TaskScorer scorer = scorer_for(options, bundle, false, result.notes);
  const std::vector<Encoding> text = trial_text(options, bundle, scorer);
  Workload workload = workload_of(text, options.execution.batch);
  workload.watching = Watching::transforms;
  // The harm of the recipe, and of each format it may fall back to, is estimated by trials.
  workload.kept = (1 + request.fallback.size()) * trials_need(*bundle.encoder);
  workload.batch = fitting_batch(bundle, options.execution, workload);
  const auto engine = make_engine(bundle, options.execution, result.notes, workload);
  result.statistics = facts_of(paths.statistics);
  TuneCheckpoint checkpoint(paths.checkpoint,
                            settings_of(options, request, bundle, result.statistics.sha256, scorer,
                                        text, engine->device()),
                            options.restart);

  result.model = bundle.file;
  result.recipe = request.recipe->name;
  result.task = scorer.task().name;
  const Dataset& data = scorer.data();
  result.split = data.split;
  result.data = {data.path, data.sha256, data.builtin, false};
  result.examples = scorer.scorer().examples();
  result.confidence = options.confidence;
  result.checkpoint = paths.checkpoint;
  PlanMaker maker({bundle.model, bundle.sites, &*bundle.encoder, &statistics});
  BundleScorer plan_scorer(bundle, options.execution, *engine, scorer.scorer());
  Tuning tuning(request, maker, plan_scorer, checkpoint, progress);
  tuning.run(inputs_for(*bundle.encoder, text, workload.batch, *engine), result);
  if (result.chosen && options.holdout > 0) {
    note_seen_data(statistics, scorer, result.notes);
    std::vector<std::string> of_data;  // dropped: already reported
    const TaskScorer held_out = scorer_for(options, bundle, true, of_data);
    BundleScorer held_out_scorer(bundle, options.execution, *engine, held_out.scorer());
    result.holdout = tuning.confirmed(held_out_scorer);
  }
  announce_checkpoint({});
  if (!result.evaluations.empty()) result.sites_in_recipe = result.evaluations.front().quantized;
  if (result.chosen) {
    Plan plan = tuning.plan();
    plan.source = {std::string(version()), bundle.file.path.filename().string(), bundle.file.sha256,
                   bundle.file.bytes, result.statistics.sha256};
    save_plan(plan, paths.plan);
    result.plan = paths.plan;
  }
  result.execution = with_costs(execution_on(*engine), watch);
  return result;
}

}  // namespace fp8q
