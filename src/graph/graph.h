// Answers questions about a Graph: which node makes a value, which nodes read it, attributes with
// defaults, order.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "graph/model.h"

namespace fp8q {

// Names one input slot of a node.
struct Use {
  size_t node;
  size_t input;
  friend bool operator==(const Use&, const Use&) = default;
};

// Finds the producers and consumers of every value. It is valid while the graph's nodes do not
// change.
class GraphIndex {
 public:
  explicit GraphIndex(const Graph& graph);

  // Returns the node that makes `value`, and nullptr for inputs, initializers and unknown names.
  const Node* producer(const std::string& value) const;
  std::optional<size_t> producer_index(const std::string& value) const;
  std::span<const Use> uses(const std::string& value) const;
  bool is_graph_output(const std::string& value) const;
  const Tensor* initializer(const std::string& value) const;
  // Returns the tensor of an initializer or of a Constant node, and nullptr for other values.
  const Tensor* constant(const std::string& value) const;
  const Graph& graph() const { return *graph_; }

 private:
  const Graph* graph_;
  std::unordered_map<std::string, size_t> producers_;
  std::unordered_map<std::string, std::vector<Use>> uses_;
  std::unordered_set<std::string> outputs_;
};

// Returns whether `node` is not nullptr and has this operator of the standard set.
bool is_op(const Node* node, std::string_view op_type);

// Return an attribute, or a default if it is absent. They throw an Error (bad_model) that names the
// node if the attribute has another type.
int64_t int_attribute(const Node& node, const std::string& name, int64_t otherwise);
float float_attribute(const Node& node, const std::string& name, float otherwise);
std::string string_attribute(const Node& node, const std::string& name, std::string otherwise);
std::vector<int64_t> ints_attribute(const Node& node, const std::string& name,
                                    std::vector<int64_t> otherwise);
const Attribute* find_attribute(const Node& node, const std::string& name);
// Returns the tensor of a Constant node, and nullptr for other nodes and for constants that are
// given as numbers.
const Tensor* constant_tensor(const Node& node);

// Returns the name of an input, or "" if the node does not have it.
std::string input_or_empty(const Node& node, size_t i);

// Returns the name of a node for messages: `MatMul "/bert/encoder/MatMul_3"`. A node without a name
// is described by its first output.
std::string describe(const Node& node);

// Sorts the nodes so that every value is made before it is read. The sort is stable. Throws an
// Error (bad_model) if there is a cycle, a value that no node makes, or a value made twice.
void sort_topologically(Graph& graph);

// Removes nodes whose outputs are all unread, and initializers that no node reads.
void remove_unused(Graph& graph);

// Makes names that are not used yet: a stem as it is, or with the first free number from 2 on.
class FreshNames {
 public:
  explicit FreshNames(char separator = '_') : separator_(separator) {}
  explicit FreshNames(const Graph& graph);  // which uses the names of its values
  void use(const std::string& name);
  std::string operator()(const std::string& stem);

 private:
  char separator_ = '_';
  std::unordered_map<std::string, int> next_;  // name -> the suffix to try next
};

}  // namespace fp8q
