#include "tasks/holdout.h"

#include <cmath>
#include <map>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"

namespace fp8q {
namespace {

std::string_view group_of(const Task& task, const Example& example) {
  return task.kind == TaskKind::spans && example.pair ? *example.pair : example.text;
}

std::vector<bool> held_out(const HoldoutSide& side, const Task& task,
                           const std::vector<Example>& examples) {
  std::map<std::string, std::vector<size_t>> groups;  // groups by rank
  std::map<std::string_view, std::string> ranks;
  for (size_t e = 0; e < examples.size(); ++e) {
    std::string& rank = ranks[group_of(task, examples[e])];
    if (rank.empty()) rank = sha256(fmt::format("{} {}", side.seed, group_of(task, examples[e])));
    groups[rank].push_back(e);
  }
  const auto wanted =
      static_cast<size_t>(std::lround(side.share * static_cast<double>(examples.size())));
  std::vector<bool> held(examples.size(), false);
  size_t count = 0;
  for (const auto& [rank, group] : groups) {
    if (count + group.size() > wanted) continue;
    count += group.size();
    for (const size_t e : group) held[e] = true;
  }
  if (count == 0 || count == examples.size())
    fail(ErrorCode::usage,
         "--holdout {}: of these {} examples ({} texts) {} would be held out; take another share, "
         "or more examples",
         side.share, examples.size(), groups.size(), count == 0 ? "none" : "all");
  return held;
}

}  // namespace

std::vector<Example> examples_of(const HoldoutSide& side, const Task& task,
                                 std::vector<Example> examples) {
  if (side.share == 0) return examples;
  const std::vector<bool> held = held_out(side, task, examples);
  std::vector<Example> chosen;
  for (size_t e = 0; e < examples.size(); ++e)
    if (held[e] == side.held_out) chosen.push_back(std::move(examples[e]));
  return chosen;
}

}  // namespace fp8q
