#include "fp8q/merge.h"

#include <algorithm>

#include "api/run_facts.h"
#include "base/error.h"
#include "calibrate/statistics.h"

namespace fp8q {
namespace {

struct Shard {
  fs::path path;
  Statistics statistics;
  std::string name() const { return printable(path.string()); }
};

std::vector<Shard> load_shards(const std::vector<fs::path>& paths) {
  std::vector<Shard> shards;
  for (const fs::path& path : paths) {
    shards.push_back({path, load_statistics(path)});
    if (shards.back().statistics.part.whole())
      fail(ErrorCode::bad_data,
           "{}: holds all examples of its run already, there is nothing to merge",
           shards.back().name());
  }
  std::ranges::stable_sort(shards, {}, [](const Shard& shard) {
    return std::pair(shard.statistics.part.begin, shard.statistics.part.end);
  });
  return shards;
}

// What comes after `end`, which must be the next shard.
void check_next(const Shard* before, int64_t end, const Shard& next) {
  const Part& part = next.statistics.part;
  if (before) {
    const auto what = difference(before->statistics.provenance, next.statistics.provenance);
    if (!what.empty())
      fail(ErrorCode::bad_data, "{} and {} are not of one run: they differ in {}", before->name(),
           next.name(), what);
    if (before->statistics.part.of != part.of)
      fail(ErrorCode::bad_data, "{} and {} are not of one run: {} and {}", before->name(),
           next.name(), before->statistics.part.text(), part.text());
  }
  if (part.begin < end)
    fail(ErrorCode::bad_data, "{} and {} hold the same examples: {} and {}", before->name(),
         next.name(), before->statistics.part.text(), part.text());
  if (part.begin > end)
    fail(ErrorCode::bad_data, "a shard is missing: no file holds {}",
         Part{end, part.begin, part.of}.text());
}

}  // namespace

MergeResult merge(const MergeOptions& options) {
  if (options.inputs.empty()) fail(ErrorCode::usage, "merge: name the files to merge");
  check_output({options.output, options.inputs, options.force}, is_statistics_file);
  const std::vector<Shard> shards = load_shards(options.inputs);
  MergeResult result;
  Statistics whole;
  const Shard* before = nullptr;
  for (const Shard& shard : shards) {
    check_next(before, whole.part.end, shard);
    if (before) whole.append(shard.statistics);
    else whole = shard.statistics;
    before = &shard;
    result.parts.push_back({shard.path, shard.statistics.part.text()});
  }
  if (!whole.part.whole())
    fail(ErrorCode::bad_data, "a shard is missing: no file holds {}",
         Part{whole.part.end, whole.part.of, whole.part.of}.text());
  save_statistics(whole, options.output);
  result.output = facts_of(options.output);
  result.examples = static_cast<size_t>(whole.provenance.examples);
  result.tokens = static_cast<size_t>(whole.provenance.tokens);
  return result;
}

}  // namespace fp8q
