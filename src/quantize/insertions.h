// Collects new nodes for a graph and puts them in place at the end, so that node numbers (and with
// them Uses) stay valid until then. This header is internal to the rewrite.
#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "graph/function.h"

namespace fp8q {

class Insertions {
 public:
  explicit Insertions(Graph& graph);

  // Returns a name that no value has yet.
  std::string name(const std::string& stem) { return names_(stem); }
  // Adds an initializer and returns its name, which is `stem` if that is free.
  std::string constant(const std::string& stem, Tensor tensor);
  Node& node(size_t n) { return graph_.nodes[n]; }
  void before(size_t n, Node node) { before_[n].push_back(named(std::move(node))); }
  // Inserts a call of `function`, which has one input and one output.
  void call_before(size_t n, LocalFunction& function, const std::string& input,
                   const std::string& output);
  void after(size_t n, Node node) { after_[n].push_back(named(std::move(node))); }
  // Puts everything in place and removes the values and nodes that are no longer read.
  void finish();

 private:
  Node named(Node node);

  Graph& graph_;
  FreshNames names_;
  std::unordered_set<std::string> node_names_;
  std::vector<std::vector<Node>> before_;
  std::vector<std::vector<Node>> after_;
};

Node make_node(std::string op_type, std::vector<std::string> inputs, std::string output,
               std::map<std::string, Attribute> attributes = {});

}  // namespace fp8q
