// Questions about a Graph: who makes a value, who reads it, attributes with defaults, order.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/model.h"

namespace fp8q {

// One input slot of a node.
struct Use {
  size_t node;
  size_t input;
  friend bool operator==(const Use&, const Use&) = default;
};

// Producers and consumers of every value; valid while the graph's nodes do not change.
class GraphIndex {
 public:
  explicit GraphIndex(const Graph& graph);

  // The node that makes `value`; nullptr for inputs, initializers and unknown names.
  const Node* producer(const std::string& value) const;
  std::optional<size_t> producer_index(const std::string& value) const;
  std::span<const Use> uses(const std::string& value) const;
  bool is_graph_output(const std::string& value) const;
  const Tensor* initializer(const std::string& value) const;
  const Graph& graph() const { return *graph_; }

 private:
  const Graph* graph_;
  std::unordered_map<std::string, size_t> producers_;
  std::unordered_map<std::string, std::vector<Use>> uses_;
};

// Whether there is a node, of an operator of the standard.
bool is_op(const Node* node, std::string_view op_type);

// Attribute access; a present attribute of another type is an Error (bad_model) naming the node.
int64_t int_attribute(const Node& node, const std::string& name, int64_t otherwise);
float float_attribute(const Node& node, const std::string& name, float otherwise);
std::string string_attribute(const Node& node, const std::string& name, std::string otherwise);
std::vector<int64_t> ints_attribute(const Node& node, const std::string& name,
                                    std::vector<int64_t> otherwise);
const Attribute* find_attribute(const Node& node, const std::string& name);

// How a message names a node: `MatMul "/bert/encoder/MatMul_3"`, by its first output where it has
// no name.
std::string describe(const Node& node);

// Puts the nodes into an order in which every value is made before it is read; stable. Error
// (bad_model): a cycle, a value that nobody makes, a value made twice.
void sort_topologically(Graph& graph);

// Removes nodes none of whose outputs is read, and initializers nobody reads.
void remove_unused(Graph& graph);

// A value name starting with `stem` that the graph does not use yet.
class FreshNames {
 public:
  explicit FreshNames(const Graph& graph);
  std::string operator()(const std::string& stem);

 private:
  std::unordered_map<std::string, bool> used_;
};

}  // namespace fp8q
