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

// Holds the part of a run that a file covers: Statistics or an Evaluation.
template <typename Content>
struct Shard {
  fs::path path;
  Content content;
  std::string name() const { return printable(path.string()); }
  std::string part() const { return content.part.text(); }
};

[[noreturn]] void fail_missing(const Part& part) {
  fail(ErrorCode::bad_data,
       "a shard is missing: no file holds {}; name its file, too, or run it first", part.text());
}

// Checks that `next` follows the part of `whole`, which ends with the shard `before`.
template <typename Content>
void check_next(const Content& whole, const Shard<Content>& before, const Shard<Content>& next) {
  const Part& part = next.content.part;
  if (const auto what = difference(whole, next.content); !what.empty())
    fail(ErrorCode::bad_data,
         "{} and {} are not of one run: they differ in {}; run one of the shards again",
         before.name(), next.name(), what);
  if (whole.part.of != part.of)
    fail(ErrorCode::bad_data, "{} and {} are not of one run: {} and {}", before.name(), next.name(),
         before.part(), next.part());
  if (part.begin < whole.part.end)
    fail(ErrorCode::bad_data, "{} and {} hold the same examples: {} and {}", before.name(),
         next.name(), before.part(), next.part());
  if (part.begin > whole.part.end) fail_missing({whole.part.end, part.begin, part.of});
}

// Returns the whole. Sorts `shards` by their examples.
template <typename Content>
Content joined(std::vector<Shard<Content>>& shards) {
  std::ranges::stable_sort(shards, {}, [](const auto& shard) {
    return std::pair(shard.content.part.begin, shard.content.part.end);
  });
  Content whole = shards.front().content;
  if (whole.part.begin > 0) fail_missing({0, whole.part.begin, whole.part.of});
  for (size_t s = 1; s < shards.size(); ++s) {
    check_next(whole, shards[s - 1], shards[s]);
    whole.append(shards[s].content);
  }
  if (!whole.part.whole()) fail_missing({whole.part.end, whole.part.of, whole.part.of});
  return whole;
}

template <typename Content>
std::vector<MergedPart> parts_of(const std::vector<Shard<Content>>& shards) {
  std::vector<MergedPart> parts;
  for (const auto& shard : shards) parts.push_back({shard.path, shard.part()});
  return parts;
}

void check_inputs(const std::vector<fs::path>& inputs) {
  if (inputs.empty()) fail(ErrorCode::usage, "merge: name the files to merge");
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
  std::vector<Shard<Statistics>> shards;
  for (const fs::path& path : options.inputs) {
    shards.push_back({path, load_statistics(path)});
    if (shards.back().content.part.whole())
      fail(ErrorCode::bad_data,
           "{}: holds all examples of its run already, there is nothing to merge",
           shards.back().name());
  }
  const Statistics whole = joined(shards);
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
  std::vector<Shard<Evaluation>> shards;
  for (const fs::path& path : options.inputs) shards.push_back({path, load_evaluation(path)});
  const Evaluation whole = joined(shards);
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
