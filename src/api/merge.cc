#include "fp8q/merge.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/file_facts.h"
#include "calibrate/statistics.h"
#include "evaluate/evaluation_score.h"
#include "evaluate/predictions_file.h"
#include "session/outputs.h"

namespace fp8q {
namespace {

std::string difference(const Statistics& a, const Statistics& b) {
  return difference(a.provenance, b.provenance);
}

// Names a file and the part of a run that it covers.
struct Shard {
  fs::path path;
  Part part;
  std::string name() const { return printable(path.string()); }
};

[[noreturn]] void fail_missing(const Part& part) {
  fail(ErrorCode::bad_data,
       "a shard is missing: no file holds {}; name its file, too, or run it first", part.text());
}

// Checks that `next`, whose content is `content`, follows the part of `whole`, which ends with the
// shard `before`.
template <typename Content>
void check_next(const Content& whole, const Shard& before, const Shard& next,
                const Content& content) {
  const Part& part = content.part;
  if (const auto what = difference(whole, content); !what.empty())
    fail(ErrorCode::bad_data,
         "{} and {} are not of one run: they differ in {}; run one of the shards again",
         before.name(), next.name(), what);
  if (whole.part.of != part.of)
    fail(ErrorCode::bad_data, "{} and {} are not of one run: {} and {}", before.name(), next.name(),
         before.part.text(), part.text());
  if (part.begin < whole.part.end)
    fail(ErrorCode::bad_data, "{} and {} hold the same examples: {} and {}", before.name(),
         next.name(), before.part.text(), part.text());
  if (part.begin > whole.part.end) fail_missing({whole.part.end, part.begin, part.of});
}

// Returns the shards in the order of their examples. `load` reads a file.
template <typename Load>
std::vector<Shard> shards_in_order(const std::vector<fs::path>& inputs, const Load& load) {
  std::vector<Shard> shards;
  for (const fs::path& path : inputs) shards.push_back({path, load(path).part});
  std::ranges::stable_sort(
      shards, {}, [](const Shard& shard) { return std::pair(shard.part.begin, shard.part.end); });
  return shards;
}

// Returns the whole. Files are read one at a time, for the second time: a run may have more shards
// than memory holds.
template <typename Load>
auto joined(const std::vector<Shard>& shards, const Load& load) {
  auto whole = load(shards.front().path);
  if (whole.part.begin > 0) fail_missing({0, whole.part.begin, whole.part.of});
  for (size_t s = 1; s < shards.size(); ++s) {
    const auto content = load(shards[s].path);
    check_next(whole, shards[s - 1], shards[s], content);
    whole.append(content);
  }
  if (!whole.part.whole()) fail_missing({whole.part.end, whole.part.of, whole.part.of});
  return whole;
}

std::vector<MergedPart> parts_of(const std::vector<Shard>& shards) {
  std::vector<MergedPart> parts;
  for (const Shard& shard : shards) parts.push_back({shard.path, shard.part.text()});
  return parts;
}

// The whole takes at most about as much memory as all files together, and a file that is being read
// json::kMaxTreeBytes more.
constexpr uint64_t kMaxTogether = uint64_t{1} << 30;

void check_inputs(const std::vector<fs::path>& inputs) {
  if (inputs.empty()) fail(ErrorCode::usage, "merge: name the files to merge");
  uint64_t together = 0;
  for (const fs::path& input : inputs) {
    std::error_code absent;  // is reported where the file is read
    const uint64_t bytes = fs::file_size(input, absent);
    if (!absent) together += std::min(bytes, kMaxTogether);
    if (together >= kMaxTogether)
      fail(ErrorCode::limit,
           "{}: with it, the files have more than {} MiB; merge a run of fewer "
           "examples",
           printable(input.string()), kMaxTogether >> 20);
  }
}

}  // namespace

bool hold_evaluations(const std::vector<fs::path>& inputs) {
  // This is how --json begins a file.
  constexpr std::string_view kFactsOfShard = "{\n  \"schema\": \"fp8q/eval-shard/";
  for (const fs::path& input : inputs)
    if (begins_with(input, kFactsOfShard))
      fail(
          ErrorCode::bad_data,
          "{}: tells about a shard (--json) and does not hold its answers; name the file that eval "
          "--shard wrote (-o)",
          printable(input.string()));
  const auto first = std::ranges::find_if(inputs, is_evaluation_file);
  if (first == inputs.end()) return false;
  for (const fs::path& other : inputs)
    if (!is_evaluation_file(other))
      fail(ErrorCode::bad_data,
           "{} is a part of an evaluation, but {} is {}; name the parts of one run",
           printable(first->string()), printable(other.string()),
           is_statistics_file(other) ? "one of a calibration" : "none");
  return true;
}

MergeResult merge(const MergeOptions& options) {
  check_inputs(options.inputs);
  check_files({options.inputs, {options.output}});
  check_output({.path = options.output, .force = options.force}, is_statistics_file);
  const std::vector<Shard> shards = shards_in_order(options.inputs, load_statistics);
  for (const Shard& shard : shards)
    if (shard.part.whole())
      fail(ErrorCode::bad_data,
           "{}: holds all examples of its run already, there is nothing to merge", shard.name());
  const Statistics whole = joined(shards, load_statistics);
  save_statistics(whole, options.output);
  return {.output = facts_of(options.output),
          .parts = parts_of(shards),
          .examples = static_cast<size_t>(whole.provenance.examples),
          .tokens = static_cast<size_t>(whole.provenance.tokens)};
}

MergeEvaluationsResult merge_evaluations(const MergeEvaluationsOptions& options) {
  check_inputs(options.inputs);
  check_files({options.inputs, {options.predictions}});
  if (!options.predictions.empty())
    check_output({.path = options.predictions, .force = options.force}, is_predictions_file);
  const std::vector<Shard> shards = shards_in_order(options.inputs, load_evaluation);
  const Evaluation whole = joined(shards, load_evaluation);
  if (!options.predictions.empty() && whole.models.size() > 1)
    fail(ErrorCode::usage, "--predictions takes the answers of one model; {} were evaluated",
         whole.models.size());
  MergeEvaluationsResult result{parts_of(shards), score_evaluation(whole)};
  if (!options.predictions.empty()) {
    write_predictions(options.predictions, whole);
    result.results.front().predictions = options.predictions;
  }
  return result;
}

}  // namespace fp8q
