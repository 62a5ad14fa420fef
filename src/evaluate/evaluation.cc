#include "evaluate/evaluation.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "base/error.h"
#include "base/file.h"

namespace fp8q {
namespace {

constexpr std::string_view kBeginning = "{\"schema\":\"fp8q/evaluation/";
constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

// Pairs each circumstance of a run, in words, with its value.
using Circumstances = std::vector<std::pair<std::string, std::string>>;

void add(Circumstances& list, const std::string& whose, const ModelRun& run) {
  list.emplace_back(whose, run.file.sha256);
  list.emplace_back("the tokenizer of " + whose, run.tokenizer_sha256);
  list.emplace_back("the config.json of " + whose, run.config_sha256);
  // The GPU engine sums in another order and in BF16. A mixture would be the score of no run.
  list.emplace_back("the device of " + whose, run.device());
  for (const RoundingCounts& site : run.rounding)
    list.emplace_back("the Sites of " + whose, site.path + " " + site.format);
}

Circumstances circumstances_of(const Evaluation& e) {
  Circumstances list = {{"the version of fp8q", e.version},
                        {"the task", e.task.name},
                        {"the number of models", std::to_string(e.models.size())},
                        {"the number of baselines", std::to_string(e.baselines.size())},
                        {"the data", e.data.sha256},
                        {"the split", e.split}};
  std::ranges::copy(e.options, std::back_inserter(list));
  list.emplace_back("--seed", std::to_string(e.seed));
  for (const auto& names : e.task.classes)
    list.emplace_back("the labels", fmt::format("{}", fmt::join(names, "/")));
  for (const MetricKind metric : e.task.metrics)
    list.emplace_back("the metrics", std::string(metric_name(metric)));
  for (size_t m = 0; m < e.models.size(); ++m) {
    add(list, e.models.size() == 1 ? "the model" : fmt::format("model {}", m + 1), e.models[m].run);
    const auto& baseline = e.models[m].baseline;
    list.emplace_back("which model has a baseline", baseline ? std::to_string(*baseline) : "none");
  }
  for (const ModelRun& run : e.baselines) add(list, "the baseline", run);
  return list;
}

std::string shown(const std::string& value) {
  constexpr size_t kSha256Digits = 64;
  if (value.size() == kSha256Digits) return "sha256 " + value.substr(0, 12);
  return value.empty() ? "none" : printable(value);
}

template <typename T>
void add_all(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void add_missing(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& note : from)
    if (std::ranges::find(to, note) == to.end()) to.push_back(note);
}

void append_run(ModelRun& run, const ModelRun& next) {
  add_all(run.answers.values, next.answers.values);
  add_all(run.answers.logits, next.answers.logits);
  add_all(run.answers.spans, next.answers.spans);
  add_all(run.answers.texts, next.answers.texts);
  add_all(run.answers.right, next.answers.right);
  run.sequences += next.sequences;
  run.tokens += next.tokens;
  run.seconds += next.seconds;
  FP8Q_ASSERT(run.rounding.size() == next.rounding.size());
  for (size_t s = 0; s < run.rounding.size(); ++s) {
    SiteRounding& counts = run.rounding[s].counts;
    const SiteRounding& more = next.rounding[s].counts;
    counts.values += more.values;
    counts.saturated += more.saturated;
    counts.underflowed += more.underflowed;
  }
  add_missing(run.notes, next.notes);
  if (run.engine != next.engine)
    add_missing(run.notes,
                {fmt::format("{}: parts ran on different engines ({}; {}); kernels are told of the "
                             "first",
                             run.file.path.filename().string(), run.engine, next.engine)});
}

}  // namespace

void Evaluation::append(const Evaluation& other) {
  FP8Q_ASSERT(difference(*this, other).empty() && part.end == other.part.begin);
  add_all(examples, other.examples);
  for (size_t b = 0; b < baselines.size(); ++b) append_run(baselines[b], other.baselines[b]);
  for (size_t m = 0; m < models.size(); ++m) {
    TestedModel& model = models[m];
    const TestedModel& next = other.models[m];
    append_run(model.run, next.run);
    model.execution.elapsed_s += next.execution.elapsed_s;
    model.execution.peak_rss_bytes =
        std::max(model.execution.peak_rss_bytes, next.execution.peak_rss_bytes);
    add_missing(model.notes, next.notes);
  }
  part.end = other.part.end;
}

std::string difference(const Evaluation& a, const Evaluation& b) {
  const Circumstances of_a = circumstances_of(a), of_b = circumstances_of(b);
  const size_t both = std::min(of_a.size(), of_b.size());
  for (size_t i = 0; i < both; ++i) {
    const auto& [what, value] = of_a[i];
    if (what != of_b[i].first) return what + " or " + of_b[i].first;
    if (value != of_b[i].second)
      return fmt::format("{} ({} and {})", what, shown(value), shown(of_b[i].second));
  }
  if (of_a.size() != of_b.size()) return (of_a.size() > both ? of_a : of_b)[both].first;
  return "";
}

void save_evaluation(const Evaluation& evaluation, const fs::path& path) {
  write_file_atomically(path, to_json(evaluation));
}

Evaluation load_evaluation(const fs::path& path) {
  return evaluation_from_json(read_file(path, kMaxBytes), path.string());
}

bool is_evaluation_file(const fs::path& path) { return begins_with(path, kBeginning); }

}  // namespace fp8q
