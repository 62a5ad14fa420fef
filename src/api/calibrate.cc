#include "fp8q/calibrate.h"

#include <algorithm>
#include <random>

#include "api/bundle.h"
#include "api/run_facts.h"
#include "api/text_inputs.h"
#include "base/error.h"
#include "calibrate/observer.h"
#include "calibrate/statistics.h"
#include "tasks/model_config.h"
#include "tasks/task_data.h"

namespace fp8q {
namespace {

// The task whose text fits the model: the one asked for, else the one its config names.
const Task* calibration_task(const CalibrateOptions& options, const ModelConfig& config) {
  if (options.task) return &require_task(*options.task);
  return config.finetuning_task ? find_task(*config.finetuning_task) : nullptr;
}

// Ids drawn evenly from the whole table, in examples of the length of a typical sentence.
std::vector<Encoding> random_examples(const CalibrateOptions& options, const Bundle& bundle,
                                      size_t max_length) {
  if (!bundle.encoder)
    fail(ErrorCode::unsupported, "{}: --random-data needs a model recognised as an encoder",
         printable(bundle.file.path.string()));
  const auto rows = static_cast<uint64_t>(bundle.encoder->embeddings.word.rows.dim(0));
  std::mt19937_64 generator(options.seed);
  std::vector<Encoding> encodings(options.examples);
  const size_t length = std::min<size_t>(32, max_length);
  for (Encoding& encoding : encodings) {
    for (size_t t = 0; t < length; ++t)
      encoding.ids.push_back(static_cast<int32_t>(generator() % rows));
    encoding.type_ids.assign(length, 0);
  }
  return encodings;
}

struct CalibrationText {
  std::vector<Encoding> encodings;
  DataFacts facts;
  std::string tokenizer_sha256;
  std::string task;
  size_t max_length = 0;  // as asked for, or the task's
};

CalibrationText calibration_text(const CalibrateOptions& options, const Bundle& bundle,
                                 std::vector<std::string>& notes) {
  CalibrationText text;
  const ModelConfig config = find_model_config(bundle.folder, options.location.config);
  const Task* task = options.random_data ? nullptr : calibration_task(options, config);
  text.max_length = options.max_length.value_or(task ? task->max_length : Task().max_length);
  const size_t length = usable_length(bundle, text.max_length, notes);
  if (options.random_data) {
    if (options.data) fail(ErrorCode::usage, "--random-data and --data exclude each other");
    text.facts.random = true;
    text.encodings = random_examples(options, bundle, length);
    notes.push_back("random token ids are not text; expect a worse conversion");
    return text;
  }
  const Tokenizer tokenizer = tokenizer_for(bundle, options.location.tokenizer);
  const Dataset data =
      load_calibration_text({.task = task, .data = options.data, .count = options.examples});
  if (!data.note.empty()) notes.push_back(data.note);
  text.encodings = calibration_sequences(tokenizer, data.examples, task, length);
  text.facts = {data.path, data.sha256, data.builtin, false};
  text.tokenizer_sha256 = tokenizer.hash();
  if (task && !data.builtin) text.task = task->name;
  return text;
}

// Statistics of all examples. Runs never cross a group of the statistics' moving ranges, so any
// batch size observes the same values under the same group.
Statistics observe(Engine& engine, const Bundle& bundle, const CalibrationText& text,
                   size_t batch_size, const ProgressCallback& progress) {
  Statistics statistics;
  std::vector<int> record_of(bundle.sites.size(), -1);
  for (size_t s = 0; s < bundle.sites.size(); ++s) {
    const Site& site = bundle.sites[s];
    if (site.kind != SiteKind::activation) continue;
    record_of[s] = static_cast<int>(statistics.sites.size());
    statistics.sites.push_back({site.value, site.path, {}});
  }
  constexpr size_t kGroup = SiteStatistics::kExamplesPerGroup;
  const auto& examples = text.encodings;
  for (size_t begin = 0; begin < examples.size();) {
    const size_t group = begin / kGroup;
    const size_t end = std::min({begin + batch_size, (group + 1) * kGroup, examples.size()});
    PackedBatch batch;
    for (size_t e = begin; e < end; ++e) batch.append(examples[e].ids, examples[e].type_ids);
    engine.run(batch, [&](int site, std::span<const float> values, int64_t columns) {
      const int record = record_of[static_cast<size_t>(site)];
      // The width of attention probabilities is the sequence length: no channels.
      const bool varies = bundle.sites[static_cast<size_t>(site)].role == SiteRole::probabilities;
      statistics.sites[static_cast<size_t>(record)].statistics.observe(values, varies ? 0 : columns,
                                                                       group);
    });
    begin = end;
    if (progress) progress("calibrating", end, examples.size());
  }
  return statistics;
}

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
          .examples = static_cast<int64_t>(text.encodings.size()),
          .tokens = static_cast<int64_t>(count_tokens(text.encodings))};
}

std::vector<fs::path> input_files(const CalibrateOptions& options) {
  std::vector<fs::path> files = files_of_model(options.location.model);
  for (const auto& given : {options.location.tokenizer, options.location.config, options.data})
    if (given) files.push_back(*given);
  return files;
}

// A Site without a single finite value gives no scale, and says that the model is broken.
void check_observed(const Bundle& bundle, const Statistics& statistics) {
  for (const SiteRecord& record : statistics.sites)
    if (record.statistics.count() == 0 && record.statistics.nonfinite() > 0)
      fail(ErrorCode::bad_model,
           "{}: all values at {} are NaN or infinite; a weight before it may be, too",
           printable(bundle.file.path.string()), printable(record.path));
}

CalibratedSite summary(const SiteRecord& record) {
  const SiteStatistics& s = record.statistics;
  return {record.value, record.path, s.count(),  s.absmax(), s.min(),
          s.max(),      s.mean(),    s.stddev(), s.zeros(),  s.nonfinite()};
}

}  // namespace

CalibrateResult calibrate(const CalibrateOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  if (options.execution.device != "cpu" && options.execution.device != "auto")
    fail(ErrorCode::usage,
         "--device {}: calibration runs on the CPU, in FP32, so that its statistics are the same "
         "bits everywhere; leave the option out",
         printable(options.execution.device));
  ExecutionOptions execution = options.execution;
  execution.device = "cpu";
  require_at_least("--batch", options.execution.batch, 1);
  require_at_least("--examples", options.examples, 1);
  CalibrateResult result;
  fs::path output = options.output;
  const fs::path source = model_file(options.location.model);
  if (output.empty()) output = fs::path(source).replace_extension(".calib.json");
  check_output({output, input_files(options), options.force}, is_statistics_file);

  const Bundle bundle = open_model(options.location.model);
  require_float_model(bundle);
  const CalibrationText text = calibration_text(options, bundle, result.notes);
  const auto engine = make_engine(bundle, execution, result.notes);
  Statistics statistics = observe(*engine, bundle, text, options.execution.batch, progress);
  check_observed(bundle, statistics);
  statistics.provenance = provenance_of(options, bundle, text);
  save_statistics(statistics, output);

  for (const auto& record : statistics.sites) {
    result.sites.push_back(summary(record));
    if (record.statistics.nonfinite() > 0)
      result.notes.push_back(fmt::format("{}: {} values are not finite and were left out",
                                         record.path, record.statistics.nonfinite()));
  }
  for (const auto& observer : all_observers()) result.observers.emplace_back(observer.name);
  result.model = bundle.file;
  result.statistics = facts_of(output);
  result.data = text.facts;
  result.task = text.task;
  result.examples = text.encodings.size();
  result.tokens = count_tokens(text.encodings);
  result.execution = execution_facts(watch, engine->description());
  return result;
}

}  // namespace fp8q
