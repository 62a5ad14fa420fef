#include "quantize/insertions.h"

namespace fp8q {

Insertions::Insertions(Graph& graph)
    : graph_(graph), names_(graph), before_(graph.nodes.size()), after_(graph.nodes.size()) {
  for (const Node& node : graph.nodes) node_names_.insert(node.name);
}

std::string Insertions::constant(const std::string& stem, Tensor tensor) {
  std::string fresh = name(stem);
  graph_.initializers[fresh] = std::move(tensor);
  return fresh;
}

// Runtimes refuse two nodes of the same name.
Node Insertions::named(Node node) {
  node.name = node.outputs.front() + "/" + node.op_type;
  while (!node_names_.insert(node.name).second) node.name += "_";
  return node;
}

void Insertions::call_before(size_t n, LocalFunction& function, const std::string& input,
                             const std::string& output) {
  Node call = make_node(function.name, {input}, output);
  call.domain = function.domain;
  call = named(std::move(call));
  for (Node& node : expand(function, call, names_)) before_[n].push_back(std::move(node));
  function.calls.push_back(std::move(call));
}

void Insertions::finish() {
  std::vector<Node> nodes;
  for (size_t n = 0; n < before_.size(); ++n) {
    for (Node& node : before_[n]) nodes.push_back(std::move(node));
    nodes.push_back(std::move(graph_.nodes[n]));
    for (Node& node : after_[n]) nodes.push_back(std::move(node));
  }
  graph_.nodes = std::move(nodes);
  remove_unused(graph_);
  std::unordered_set<std::string> made;
  for (const auto& node : graph_.nodes) made.insert(node.outputs.begin(), node.outputs.end());
  std::erase_if(graph_.value_info, [&](const ValueInfo& value) {
    return !made.contains(value.name) && !graph_.initializers.contains(value.name);
  });
}

Node make_node(std::string op_type, std::vector<std::string> inputs, std::string output,
               std::map<std::string, Attribute> attributes) {
  Node node;
  node.op_type = std::move(op_type);
  node.inputs = std::move(inputs);
  node.outputs = {std::move(output)};
  node.attributes = std::move(attributes);
  return node;
}

}  // namespace fp8q
