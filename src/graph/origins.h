// Tells what is behind every value that a matrix product may read. All values are looked at in one
// pass, since a walk back from each product would take time that grows with the square of the
// graph.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "graph/model.h"

namespace fp8q {

class Origins {
 public:
  // The nodes must be in topological order.
  explicit Origins(const Graph& graph);

  // Returns the rank of the constant that `value` comes from through nodes that keep the rank.
  std::optional<int64_t> rank_of(const std::string& value) const;
  bool comes_from_softmax(const std::string& value) const;

 private:
  std::optional<int64_t> rank_of_output(const Node& node) const;
  bool makes_probabilities(const Node& node) const;

  std::unordered_map<std::string, int64_t> ranks_;
  std::unordered_set<std::string> probabilities_;
};

}  // namespace fp8q
