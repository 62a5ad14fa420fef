// Expands a call of a LocalFunction into the nodes that it stands for.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace fp8q {

// Returns the nodes of a call, named "<call>/<node>". Values that are neither inputs nor outputs
// are named "<call>/<value>"; if that is taken, `names` makes a fresh one. Reading the call from a
// file gives the same names.
std::vector<Node> expand(const LocalFunction& function, const Node& call, FreshNames& names);

}  // namespace fp8q
