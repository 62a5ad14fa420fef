#include "onnx/upgrade.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "graph/graph.h"
#include "onnx/ranks.h"
#include "onnx/upgrade_rules.h"

namespace fp8q {
namespace {

// Lists the first opset of each IR version, from https://onnx.ai/onnx/repo-docs/Versioning.html
constexpr std::array<std::pair<int64_t, int64_t>, 8> kIrOfOpset = {
    {{7, 3}, {9, 4}, {10, 5}, {11, 6}, {12, 7}, {15, 8}, {19, 9}, {21, 10}}};

int64_t ir_of_opset(int64_t opset) {
  int64_t ir = 3;
  for (const auto& [first, version] : kIrOfOpset)
    if (opset >= first) ir = version;
  return ir;
}

Graph upgraded(const Graph& old, int64_t from, int64_t target) {
  Graph graph = old;  // payloads are shared
  graph.nodes.clear();
  FreshNames names(old);
  const Ranks ranks(old);
  const GraphIndex index(old);
  for (Node node : old.nodes) {
    UpgradeContext context{graph, names, ranks, index, {}, {}};
    if (node.domain.empty())
      for (const auto& [op_type, version, rule] : upgrade_rows())
        if (from < version && version <= target && node.op_type == op_type) rule(context, node);
    std::ranges::move(context.before, std::back_inserter(graph.nodes));
    graph.nodes.push_back(std::move(node));
    std::ranges::move(context.after, std::back_inserter(graph.nodes));
  }
  return graph;
}

}  // namespace

void upgrade_opset(Model& model, int64_t target) {
  FP8Q_ASSERT(target <= kConvertedOpset);
  const int64_t from = model.opset();
  if (from >= target) return;
  if (from < kOldestUpgradable)
    fail(ErrorCode::unsupported,
         "the model uses opset {}, which is older than {} and cannot be upgraded; export it again "
         "with opset {}",
         from, kOldestUpgradable, kConvertedOpset);
  model.graph = upgraded(model.graph, from, target);
  model.opsets[""] = target;
  model.ir_version = std::max(model.ir_version, ir_of_opset(target));
}

}  // namespace fp8q
