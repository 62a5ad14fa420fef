#include "api/score_models.h"

#include <map>

#include "api/device.h"
#include "api/predictions_file.h"
#include "api/rounding_facts.h"
#include "api/run_facts.h"
#include "api/task_inputs.h"
#include "base/error.h"
#include "base/hash.h"
#include "evaluate/score.h"
#include "quantize/manifest.h"

namespace fp8q {
namespace {

// One model's run over the data.
struct Evaluated {
  Scores scores;
  Scored scored;
  size_t sequences = 0;
  size_t tokens = 0;
};

Scores scores_of(const Bundle& bundle, const Scored& scored) {
  Scores scores;
  scores.model = bundle.file;
  scores.format = format_of(bundle.model);
  const auto& metrics = scored.score.metrics;
  for (size_t m = 0; m < metrics.size(); ++m) {
    const auto& [name, value] = metrics[m];
    scores.metrics[name] = value;
    scores.metrics_ci95[name] = {scored.metrics_ci95[m].low, scored.metrics_ci95[m].high};
  }
  for (const auto& [name, value] : scored.details) scores.metrics[name] = value;
  scores.score = scored.score.score;
  scores.ci95_low = scored.ci95.low;
  scores.ci95_high = scored.ci95.high;
  return scores;
}

Evaluated run_model(const Bundle& bundle, TaskInputs& inputs, const EvaluateOptions& options,
                    const ProgressCallback& progress, std::vector<std::string>& notes) {
  const auto in_context = [&](auto&& step) -> decltype(auto) {
    try {
      return step();
    } catch (const Error& e) {
      throw e.with_context(bundle.file.path.string());
    }
  };
  const size_t examples = inputs.data().examples.size();
  const auto& [evaluator, sequences] =
      in_context([&]() -> const PreparedInputs& { return inputs.prepared(bundle, notes); });
  const auto engine = make_engine(bundle, options.execution, notes);
  const std::string step = "scoring " + bundle.file.path.filename().string();
  const RunResult run =
      run_examples(*engine, sequences.encodings,
                   {.batch = options.execution.batch, .mean_tokens = evaluator->takes_means()},
                   [&](size_t done, size_t total) {
                     if (progress) progress(step, done, total);
                   });
  Evaluated result;
  result.scored = in_context([&] {
    Answers answers =
        evaluator->answers(sequences, run, find_model_config(bundle.folder, options.config));
    notes.insert(notes.end(), answers.notes.begin(), answers.notes.end());
    return score_answers(*evaluator, examples, std::move(answers), options.seed);
  });
  Scores& scores = result.scores;
  scores = scores_of(bundle, result.scored);
  scores.examples_per_s = static_cast<double>(examples) / run.seconds;
  scores.tokens_per_s = static_cast<double>(run.tokens) / run.seconds;
  for (const auto& k : engine->kernels())
    scores.kernels.push_back({k.path, k.requested, k.effective});
  scores.rounding = rounding_facts(bundle.sites, engine->rounding());
  add_rounding_notes(bundle.file.path.filename().string(), scores.rounding, notes);
  scores.engine = engine->description();
  result.sequences = sequences.encodings.size();
  result.tokens = run.tokens;
  return result;
}

struct HashedFile {
  fs::path path;
  std::string sha256;
};

// The FP32 source that a converted model names, if it stands beside the model and is still the same
// file.
std::optional<HashedFile> source_beside(const Bundle& bundle, std::vector<std::string>& notes) {
  const auto manifest = read_manifest(bundle.model);
  if (!manifest) return std::nullopt;
  const fs::path source = bundle.folder / fs::path(manifest->source.model_name).filename();
  std::error_code ignored;
  if (fs::is_regular_file(source, ignored) && sha256_file(source) == manifest->source.model_sha256)
    return HashedFile{source, manifest->source.model_sha256};
  notes.push_back(fmt::format(
      "{} was converted from {}, which is not beside it any more or has changed; give it with "
      "--baseline to see the difference",
      bundle.file.path.string(), printable(manifest->source.model_name)));
  return std::nullopt;
}

ScoreDifference difference_of(const TaskInputs& inputs, const Evaluator& evaluator,
                              const Scored& tested, const Scored& baseline) {
  const Difference d = compare(tested, baseline);
  ScoreDifference difference{d.score, d.ci95.low, d.ci95.high, d.p_value, d.test, {}};
  const std::vector<Example>& examples = inputs.data().examples;
  const bool spans = inputs.task().kind == TaskKind::spans;  // whose texts are long
  const auto shown = [](const std::string& answer) {
    return answer.empty() ? std::string("(no answer)") : answer;
  };
  for (const size_t e : d.flips)
    difference.flips.push_back({.index = e,
                                .text = examples[e].text,
                                .pair = spans ? "" : examples[e].pair.value_or(""),
                                .gold = evaluator.gold(e),
                                .baseline = shown(baseline.answers.texts[e]),
                                .model = shown(tested.answers.texts[e])});
  return difference;
}

// Baselines already run in this call, by the SHA-256 of their file.
using Baselines = std::map<std::string, Evaluated>;

const Evaluated* baseline_for(const Bundle& bundle, TaskInputs& inputs,
                              const EvaluateOptions& options, const ProgressCallback& progress,
                              Baselines& done, std::vector<std::string>& notes) {
  if (!options.use_baseline) return nullptr;
  const std::optional<HashedFile> file =
      options.baseline ? HashedFile{*options.baseline, sha256_file(model_file(*options.baseline))}
                       : source_beside(bundle, notes);
  if (!file || file->sha256 == bundle.file.sha256) return nullptr;
  auto entry = done.find(file->sha256);
  if (entry == done.end())
    entry = done.emplace(file->sha256,
                         run_model(open_model(file->path), inputs, options, progress, notes))
                .first;
  return &entry->second;
}

void check_options(const EvaluateOptions& options) {
  check_device(options.execution.device);
  require_at_least("--batch", options.execution.batch, 1);
  if (options.models.empty()) fail(ErrorCode::usage, "no model to evaluate");
  if (options.predictions.empty()) return;
  if (options.models.size() > 1)
    fail(ErrorCode::usage, "--predictions takes the answers of one model; {} are given",
         options.models.size());
  std::vector<fs::path> inputs = files_of_model(options.models.front());
  if (options.baseline) inputs.push_back(model_file(*options.baseline));
  for (const auto& given : {options.tokenizer, options.config, options.data})
    if (given) inputs.push_back(*given);
  // A converted model's source stands beside it, and is an input without being named.
  std::error_code ignored;
  const fs::path folder = model_file(options.models.front()).parent_path();
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, ignored))
    if (entry.path().extension() == ".onnx") inputs.push_back(entry.path());
  check_output({options.predictions, inputs, options.force}, is_predictions_file);
}

}  // namespace

std::vector<ModelScore> score_models(const EvaluateOptions& options,
                                     const ProgressCallback& progress) {
  check_options(options);
  std::optional<TaskInputs> inputs;
  Baselines baselines;
  std::vector<ModelScore> all;
  for (const fs::path& model : options.models) {
    const Stopwatch watch;
    ModelScore& score = all.emplace_back();
    EvaluateResult& result = score.result;
    const Bundle bundle = open_model(model);
    if (!inputs) inputs.emplace(options, bundle, result.notes);
    const Dataset& data = inputs->data();
    const Evaluated* baseline =
        baseline_for(bundle, *inputs, options, progress, baselines, result.notes);
    Evaluated tested = run_model(bundle, *inputs, options, progress, result.notes);
    if (baseline) {
      const Evaluator& evaluator = *inputs->prepared(bundle, result.notes).evaluator;
      result.baseline = baseline->scores;
      result.difference = difference_of(*inputs, evaluator, tested.scored, baseline->scored);
      score.baseline_resampled = baseline->scored.resampled;
    }
    if (all.size() == 1 && !options.predictions.empty()) {
      write_predictions(options.predictions, inputs->task(), data.examples, tested.scored.answers);
      result.predictions = options.predictions;
    }
    result.scores = tested.scores;
    result.task = inputs->task().name;
    result.split = data.split;
    result.data = {data.path, data.sha256, data.builtin, false};
    result.examples = data.examples.size();
    result.sequences = tested.sequences;
    result.tokens = tested.tokens;
    result.execution = execution_facts(watch, tested.scores.engine);
    score.resampled = std::move(tested.scored.resampled);
  }
  return all;
}

}  // namespace fp8q
