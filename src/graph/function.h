// Calls of a LocalFunction: what they stand for in a graph.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace fp8q {

// The nodes of a call: named "<call>/<node>", values that are neither inputs nor outputs
// "<call>/<value>", or what `names` makes of that where it is taken. The names are those that
// reading the call from a file gives.
std::vector<Node> expand(const LocalFunction& function, const Node& call, FreshNames& names);

}  // namespace fp8q
