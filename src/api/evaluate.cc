#include "fp8q/evaluate.h"

#include "api/option_checks.h"
#include "base/error.h"
#include "base/file_facts.h"
#include "base/stopwatch.h"
#include "evaluate/evaluation_score.h"
#include "evaluate/predictions_file.h"
#include "session/bundle.h"
#include "session/device.h"
#include "session/evaluation_run.h"
#include "session/execution.h"
#include "session/outputs.h"

namespace fp8q {
namespace {

std::vector<fs::path> input_files(const EvaluateOptions& options) {
  const SideFiles given{options.tokenizer, options.config};
  std::vector<fs::path> inputs = files_of_data(options.task);
  std::error_code ignored;
  for (const fs::path& model : options.models) {
    append(inputs, files_of_model(model, given));
    // A converted model's source is beside it, and is an input although no option names it.
    const fs::path folder = model_file(model).parent_path();
    for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, ignored))
      if (entry.path().extension() == ".onnx") inputs.push_back(entry.path());
  }
  if (options.baseline) append(inputs, files_of_model(*options.baseline, given));
  return inputs;
}

void check_predictions(const EvaluateOptions& options) {
  if (options.predictions.empty()) return;
  if (options.models.size() > 1)
    fail(ErrorCode::usage, "--predictions takes the answers of one model; {} are given",
         options.models.size());
  check_files(files_of(options));
  check_output({.path = options.predictions, .force = options.force}, is_predictions_file);
}

Evaluation run(const EvaluateOptions& options, const ProgressCallback& progress) {
  check_device(options.execution.device);
  require_at_least("--batch", options.execution.batch, 1);
  return run_evaluation(options, progress);
}

fs::path shard_output(const EvaluateOptions& options) {
  if (!options.output.empty()) return options.output;
  return model_file(options.models.front())
      .replace_extension(
          fmt::format(".{}.{}of{}.json", options.task.name, options.shard, options.shards));
}

}  // namespace

CallFiles files_of(const EvaluateOptions& options) {
  return {input_files(options), {options.predictions}};
}

CallFiles files_of_shard(const EvaluateOptions& options) {
  return {input_files(options), {shard_output(options)}};
}

std::vector<EvaluateResult> evaluate(const EvaluateOptions& options,
                                     const ProgressCallback& progress) {
  if (options.models.empty()) fail(ErrorCode::usage, "no model to evaluate");
  if (options.shards != 1)
    fail(ErrorCode::usage, "shard {} of {} alone has no score", options.shard, options.shards);
  check_predictions(options);
  const Evaluation evaluation = run(options, progress);
  std::vector<EvaluateResult> results = score_evaluation(evaluation);
  if (!options.predictions.empty()) {
    write_predictions(options.predictions, evaluation);
    results.front().predictions = options.predictions;
  }
  return results;
}

EvaluateShardResult evaluate_shard(const EvaluateOptions& options,
                                   const ProgressCallback& progress) {
  const Stopwatch watch;
  if (options.models.empty()) fail(ErrorCode::usage, "no model to evaluate");
  check_shard(options.shard, options.shards);
  check_files(files_of_shard(options));
  const fs::path output = shard_output(options);
  check_output({output, options.force, options.keep_existing}, is_evaluation_file);
  const Evaluation evaluation = run(options, progress);
  save_evaluation(evaluation, output);
  EvaluateShardResult result;
  result.output = facts_of(output);
  const auto add = [&](std::vector<FileFacts>& files, const ModelRun& run) {
    files.push_back(run.file);
    result.notes.insert(result.notes.end(), run.notes.begin(), run.notes.end());
  };
  for (const TestedModel& model : evaluation.models)
    result.notes.insert(result.notes.end(), model.notes.begin(), model.notes.end());
  for (const ModelRun& run : evaluation.baselines) add(result.baselines, run);
  for (const TestedModel& model : evaluation.models) add(result.models, model.run);
  result.task = evaluation.task.name;
  result.split = evaluation.split;
  result.data = evaluation.data;
  result.part = evaluation.part.text();
  result.examples = evaluation.examples.size();
  result.tokens = evaluation.models.front().run.tokens;
  result.execution = with_costs(evaluation.models.front().execution, watch);
  return result;
}

}  // namespace fp8q
