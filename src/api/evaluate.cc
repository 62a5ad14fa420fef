#include "fp8q/evaluate.h"

#include <map>

#include "api/bundle.h"
#include "api/device.h"
#include "api/predictions_file.h"
#include "api/run_facts.h"
#include "api/text_inputs.h"
#include "base/error.h"
#include "base/hash.h"
#include "evaluate/score.h"
#include "quantize/manifest.h"
#include "tasks/task_data.h"

namespace fp8q {
namespace {

// One model's run over the data.
struct Evaluated {
  Scores scores;
  Scored scored;
  size_t tokens = 0;
};

// The data of a call, and its token ids per tokenizer: converted models share their source's, so it
// is made once.
class TaskInputs {
 public:
  TaskInputs(const EvaluateOptions& options, std::vector<std::string>& notes)
      : options_(options), task_(require_task(options.task)) {
    data_ = load_dataset(
        task_, {.data = options.data, .split = options.split.empty() ? "dev" : options.split});
    if (options.limit && *options.limit < data_.examples.size())
      data_.examples.resize(*options.limit);
    if (!data_.note.empty()) notes.push_back(data_.note);
  }

  const Task& task() const { return task_; }
  const Dataset& data() const { return data_; }

  const std::vector<Encoding>& encodings(const Bundle& bundle, std::vector<std::string>& notes) {
    const Tokenizer tokenizer = tokenizer_for(bundle, options_.tokenizer);
    const size_t length = usable_length(bundle, options_.max_length, notes);
    auto [entry, missing] = by_tokenizer_.try_emplace({tokenizer.hash(), length});
    if (missing) entry->second = tokenize(tokenizer, data_.examples, length);
    return entry->second;
  }

 private:
  const EvaluateOptions& options_;
  const Task& task_;
  Dataset data_;
  std::map<std::pair<std::string, size_t>, std::vector<Encoding>> by_tokenizer_;
};

Evaluated run_model(const Bundle& bundle, TaskInputs& inputs, const EvaluateOptions& options,
                    const ProgressCallback& progress, std::vector<std::string>& notes) {
  const std::vector<Encoding>& encodings = inputs.encodings(bundle, notes);
  const auto engine = make_engine(bundle, options.execution, notes);
  const std::string step = "scoring " + bundle.file.path.filename().string();
  const RunResult run = run_examples(*engine, encodings, {.batch = options.execution.batch},
                                     [&](size_t done, size_t total) {
                                       if (progress) progress(step, done, total);
                                     });
  const auto width = static_cast<size_t>(run.outputs[logits_output(run)].width);
  const LabelMap labels =
      match_labels(inputs.task(), find_model_config(bundle.folder, options.config), width);
  if (!labels.note.empty()) notes.push_back(labels.note);

  Evaluated result;
  try {
    result.scored = score_predictions(inputs.task(), inputs.data().examples,
                                      predict(inputs.task(), labels, run), options.seed);
  } catch (const Error& e) {
    throw e.with_context(bundle.file.path.string());
  }
  const TaskScore& score = result.scored.score;
  Scores& scores = result.scores;
  scores.model = bundle.file;
  scores.format = format_of(bundle.model);
  for (const auto& [kind, value] : score.metrics)
    scores.metrics[std::string(metric_name(kind))] = value;
  scores.score = score.score;
  scores.ci95_low = result.scored.ci95.low;
  scores.ci95_high = result.scored.ci95.high;
  scores.examples_per_s = static_cast<double>(encodings.size()) / run.seconds;
  scores.tokens_per_s = static_cast<double>(run.tokens) / run.seconds;
  for (const auto& k : engine->kernels())
    scores.kernels.push_back({k.path, k.requested, k.effective});
  scores.engine = engine->description();
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

ScoreDifference difference_of(const Task& task, const std::vector<Example>& examples,
                              const Scored& tested, const Scored& baseline) {
  const Difference d = compare(task, examples, tested, baseline);
  ScoreDifference difference{d.score, d.ci95.low, d.ci95.high, d.p_value, d.test, {}};
  const auto name = [&](double c) { return task.classes[static_cast<size_t>(c)].front(); };
  for (const size_t e : d.flips)
    difference.flips.push_back({.index = e,
                                .text = examples[e].text,
                                .pair = examples[e].pair.value_or(""),
                                .gold = name(examples[e].gold),
                                .baseline = name(baseline.predictions.values[e]),
                                .model = name(tested.predictions.values[e])});
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

std::vector<EvaluateResult> evaluate(const EvaluateOptions& options,
                                     const ProgressCallback& progress) {
  check_options(options);
  std::vector<std::string> data_notes;
  TaskInputs inputs(options, data_notes);
  const Dataset& data = inputs.data();
  Baselines baselines;
  std::vector<EvaluateResult> results;
  for (const fs::path& model : options.models) {
    const Stopwatch watch;
    EvaluateResult result;
    if (results.empty()) result.notes = data_notes;
    const Bundle bundle = open_model(model);
    const Evaluated* baseline =
        baseline_for(bundle, inputs, options, progress, baselines, result.notes);
    const Evaluated tested = run_model(bundle, inputs, options, progress, result.notes);
    if (baseline) {
      result.baseline = baseline->scores;
      result.difference =
          difference_of(inputs.task(), data.examples, tested.scored, baseline->scored);
    }
    if (results.empty() && !options.predictions.empty()) {
      write_predictions(options.predictions, inputs.task(), data.examples,
                        tested.scored.predictions);
      result.predictions = options.predictions;
    }
    result.scores = tested.scores;
    result.task = inputs.task().name;
    result.split = data.split;
    result.data = {data.path, data.sha256, data.builtin, false};
    result.examples = data.examples.size();
    result.tokens = tested.tokens;
    result.execution = execution_facts(watch, tested.scores.engine);
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<std::string> task_name_list() {
  std::vector<std::string> names;
  for (const auto& task : all_tasks()) names.push_back(task.name);
  return names;
}

}  // namespace fp8q
