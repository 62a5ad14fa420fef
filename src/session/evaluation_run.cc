#include "session/evaluation_run.h"

#include "base/error.h"
#include "base/hash.h"
#include "quantize/detect.h"
#include "session/baselines.h"
#include "session/execution.h"
#include "session/make_engine.h"
#include "session/task_inputs.h"
#include "session/task_options.h"

namespace fp8q {
namespace {

// Holds a run, and how it was executed.
struct ExecutedRun {
  ModelRun run;
  ExecutionFacts execution;
};

ExecutedRun run_model(const Bundle& bundle, TaskInputs& inputs, const EvaluateOptions& options,
                      const ProgressCallback& progress) {
  ModelRun result;
  const auto in_context = [&](auto&& step) -> decltype(auto) {
    try {
      return step();
    } catch (const Error& e) {
      const std::string shard =
          inputs.part().whole() ? "" : fmt::format(" ({})", inputs.part().text());
      throw e.with_context(bundle.file.path.string() + shard);
    }
  };
  const auto& [evaluator, sequences, tokenizer_sha256] =
      in_context([&]() -> const PreparedInputs& { return inputs.prepared(bundle, result.notes); });
  const ModelConfig config = inputs.config(bundle);
  Workload workload = workload_of(sequences.encodings, options.execution.batch);
  if (bundle.encoder)
    workload.kept = output_bytes(*bundle.encoder, workload, evaluator->pooling().has_value());
  workload.batch = fitting_batch(bundle, options.execution, workload);
  const auto engine = make_engine(bundle, options.execution, result.notes, workload);
  const std::string step = "scoring " + bundle.file.path.filename().string();
  const RunResult run = run_examples(*engine, sequences.encodings,
                                     {.batch = workload.batch, .pooling = evaluator->pooling()},
                                     [&](size_t done, size_t total) {
                                       if (progress) progress(step, done, total);
                                     });
  // A shard may have no example. Nothing then says what the outputs are.
  if (!run.examples.empty())
    result.answers = in_context([&] { return evaluator->answers(sequences, run, config); });
  result.notes.insert(result.notes.end(), result.answers.notes.begin(), result.answers.notes.end());
  result.answers.notes.clear();
  result.file = bundle.file;
  result.format = format_of(bundle.model);
  result.tokenizer_sha256 = tokenizer_sha256;
  if (!config.path.empty()) result.config_sha256 = sha256_file(config.path);
  result.sequences = sequences.encodings.size();
  result.tokens = run.tokens;
  result.seconds = run.seconds;
  for (const auto& k : engine->kernels())
    result.kernels.push_back({k.path, k.requested, k.effective});
  result.rounding = rounding_counts(bundle.sites, engine->rounding());
  result.engine = engine->description();
  return {std::move(result), execution_on(*engine)};
}

// Returns the options on which answers depend, besides the models and the data.
std::vector<std::pair<std::string, std::string>> options_of(const EvaluateOptions& options,
                                                            const Task& task) {
  const ExecutionOptions& execution = options.execution;
  auto list = answering_options(options.task, task);
  list.emplace_back("--compute", name_of(execution.compute));
  list.emplace_back("--gelu", name_of(execution.gelu));
  list.emplace_back("--reference", execution.reference ? "given" : "not given");
  return list;
}

TaskRequest request_of(const EvaluateOptions& options) {
  return {.tokenizer = options.tokenizer,
          .config = options.config,
          .task = options.task,
          .shard = options.shard,
          .shards = options.shards,
          .side = {}};
}

// Returns the example without the text that only answering needs.
Example to_score(const Task& task, const Example& example) {
  Example kept = example;
  if (task.kind == TaskKind::spans) kept.pair.reset();
  return kept;
}

Evaluation without_runs(const EvaluateOptions& options, const TaskInputs& inputs) {
  const Dataset& data = inputs.data();
  Evaluation evaluation;
  evaluation.version = version();
  evaluation.task = inputs.task();
  evaluation.split = data.split;
  evaluation.data = {data.path, data.sha256, data.builtin, false};
  evaluation.options = options_of(options, inputs.task());
  evaluation.seed = options.seed;
  evaluation.part = inputs.part();
  for (const Example& example : data.examples)
    evaluation.examples.push_back(to_score(inputs.task(), example));
  return evaluation;
}

}  // namespace

Evaluation run_evaluation(const EvaluateOptions& options, const ProgressCallback& progress) {
  FP8Q_ASSERT(!options.models.empty());
  std::optional<TaskInputs> inputs;
  Evaluation evaluation;
  Baselines baselines(
      options,
      [&](const Bundle& bundle) { return run_model(bundle, *inputs, options, progress).run; },
      evaluation.baselines);
  for (const fs::path& path : options.models) {
    const Stopwatch watch;
    TestedModel model;
    const Bundle bundle = open_model(path);
    if (!inputs) {
      inputs.emplace(request_of(options), bundle, model.notes);
      evaluation = without_runs(options, *inputs);
    }
    model.baseline = baselines.of(bundle, model.notes);
    ExecutedRun executed = run_model(bundle, *inputs, options, progress);
    model.run = std::move(executed.run);
    model.execution = with_costs(std::move(executed.execution), watch);
    evaluation.models.push_back(std::move(model));
  }
  return evaluation;
}

}  // namespace fp8q
