// Finds the ranks of values, as far as names and attributes tell. This header is private to the
// folder.
//
// Old models say "softmax over all axes from 3 on". Whether that is the last axis alone depends on
// the rank of the input, which most exports do not write down. Complete shape inference is not
// needed to find it: in attention the rank comes from a Transpose or a Reshape a few nodes before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "graph/graph.h"

namespace fp8q {

class Ranks {
 public:
  // The nodes must be topologically ordered.
  explicit Ranks(const Graph& graph);
  std::optional<int64_t> operator()(const std::string& value) const;

 private:
  std::optional<int64_t> of_output(const Node& node) const;

  std::unordered_map<std::string, int64_t> ranks_;
  std::unordered_map<std::string, int64_t> lengths_;  // lengths of vectors
};

}  // namespace fp8q
