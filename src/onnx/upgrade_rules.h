// Rewrites single nodes, with one function per kind of change. This header is private to the
// folder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "onnx/ranks.h"

namespace fp8q {

// Holds the data that a rule reads besides its node, and the results that it leaves behind.
struct UpgradeContext {
  Graph& graph;  // new initializers are added here
  FreshNames& names;
  const Ranks& ranks;  // ranks in the graph before the upgrade
  const GraphIndex& index;
  std::vector<Node> before;  // new nodes, to be placed around the rewritten one
  std::vector<Node> after;
};

using UpgradeRule = void (*)(UpgradeContext&, Node&);

struct UpgradeRow {
  const char* op_type;
  int64_t version;
  UpgradeRule rule;
};
const std::vector<UpgradeRow>& upgrade_rows();

}  // namespace fp8q
