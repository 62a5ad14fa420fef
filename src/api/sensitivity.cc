#include "fp8q/sensitivity.h"

#include <algorithm>

#include "api/option_checks.h"
#include "base/error.h"
#include "base/file_facts.h"
#include "evaluate/text_batches.h"
#include "quantize/choice.h"
#include "session/calibration_text.h"
#include "session/engine_memory.h"
#include "session/execution.h"
#include "session/model_statistics.h"
#include "session/outputs.h"
#include "session/task_scorer.h"
#include "study/sensitivity_study.h"
#include "study/trial.h"
#include "text/encodings.h"

namespace fp8q {
namespace {

// Says what the options ask for. It is checked before a model is opened.
struct Request {
  const Recipe* recipe = nullptr;
  PlanOptions plan;
  std::vector<Format> formats;
};

Request request_of(const SensitivityOptions& options) {
  Request request;
  request.recipe = &require_recipe(options.recipe, "--recipe");
  request.plan.observer = ObserverChoice::parse(options.observer, "--observer");
  request.plan.quantize_head = true;
  for (const std::string& name : options.formats)
    request.formats.push_back(require_format(name, "--formats"));
  if (request.formats.empty()) fail(ErrorCode::usage, "--formats: names no format");
  require_at_least("--examples", options.examples, 1);
  require_at_least("--batch", options.execution.batch, 1);
  if (options.execution.device != "cpu" && options.execution.device != "auto")
    fail(ErrorCode::usage, "--device {}: trials run on the CPU, in FP32; leave the option out",
         printable(options.execution.device));
  return request;
}

}  // namespace

CallFiles files_of(const SensitivityOptions& options) {
  const ModelLocation& location = options.location;
  CallFiles files{files_of_model(location.model, {location.tokenizer, location.config}), {}};
  files.inputs.push_back(statistics_path(model_file(location.model), options.statistics));
  append(files.inputs, files_of_data(options.task));
  return files;
}

SensitivityResult sensitivity(const SensitivityOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  const Request request = request_of(options);
  if (options.execution.reference || options.execution.compute == Compute::bf16)
    fail(ErrorCode::usage,
         "sensitivity rounds values on the way through a model in FP32: --reference and --compute "
         "bf16 do not go with it");
  SensitivityResult result;
  const Bundle bundle = open_model(options.location.model);
  require_float_model(bundle);
  if (!bundle.encoder)
    fail(ErrorCode::unsupported,
         "{}: sensitivity needs a model recognized as an encoder, which this is not ({})",
         printable(bundle.file.path.string()), printable(bundle.not_encoder_reason));
  const fs::path statistics_file = statistics_path(bundle.file.path, options.statistics);
  const Statistics statistics = statistics_for(bundle, statistics_file);
  const CalibrationText text = calibration_text({.tokenizer = options.location.tokenizer,
                                                 .config = options.location.config,
                                                 .task = options.task,
                                                 .examples = options.examples,
                                                 .random_seed = {}},
                                                bundle, result.notes);
  Workload workload = workload_of(text.encodings, options.execution.batch);
  workload.watching = Watching::transforms;
  workload.kept = trials_need(*bundle.encoder);
  workload.batch = fitting_batch(*bundle.encoder, ComputeType::fp32, workload);
  plan_engine(*bundle.encoder, ComputeType::fp32, workload, printable(bundle.file.path.string()));
  SensitivityInputs inputs{.batches = batches_of(text.encodings, workload.batch), .score = nullptr};
  std::optional<TaskScorer> scorer;
  if (!options.task.name.empty()) {
    scorer.emplace(bundle,
                   TaskRequest{.tokenizer = options.location.tokenizer,
                               .config = options.location.config,
                               .task = options.task},
                   TaskScorer::Settings{.batch = options.execution.batch}, result.notes);
    inputs.score = [&](Engine& engine) { return scorer->scorer().score(engine); };
    result.task = scorer->task().name;
  }
  PlanMaker plans({bundle.model, bundle.sites, &*bundle.encoder, &statistics});
  SensitivityStudy study(plans, inputs, progress);
  for (const Format format : request.formats)
    study.add(format, *request.recipe, request.plan, result);
  add_groups(result);

  result.model = bundle.file;
  result.statistics = facts_of(statistics_file);
  result.recipe = request.recipe->name;
  result.data = text.facts;
  result.examples = text.encodings.size();
  result.tokens = count_tokens(text.encodings);
  result.execution =
      with_costs(execution_on(*make_cpu_engine(*bundle.encoder, ComputeType::fp32)), watch);
  return result;
}

}  // namespace fp8q
