#include "encoder/widen.h"

#include <algorithm>

#include "graph/graph.h"
#include "interpreter/abstract.h"

namespace fp8q {
namespace {

bool is_half(int64_t onnx_type) {
  return onnx_type == static_cast<int64_t>(DType::f16) ||
         onnx_type == static_cast<int64_t>(DType::bf16);
}

// These attributes hold the type of a result.
constexpr const char* kTypeAttributes[] = {"to", "output_dtype"};

bool makes_half(const Node& node) {
  for (const char* name : kTypeAttributes) {
    const Attribute* attribute = find_attribute(node, name);
    const int64_t* type = attribute ? std::get_if<int64_t>(attribute) : nullptr;
    if (type && is_half(*type)) return true;
  }
  const Attribute* value = find_attribute(node, "value");
  const Tensor* tensor = value ? std::get_if<Tensor>(value) : nullptr;
  return tensor && is_half(tensor->dtype());
}

void widen(Node& node) {
  for (auto& [name, attribute] : node.attributes)
    if (auto* type = std::get_if<int64_t>(&attribute);
        type && is_half(*type) &&
        std::ranges::find(kTypeAttributes, name) != std::end(kTypeAttributes))
      *type = static_cast<int64_t>(DType::f32);
    else if (auto* tensor = std::get_if<Tensor>(&attribute); tensor && is_half(tensor->dtype()))
      *tensor = tensor->to(DType::f32);
}

void widen(std::vector<ValueInfo>& values) {
  for (ValueInfo& value : values)
    if (is_half(value.dtype)) value.dtype = DType::f32;
}

}  // namespace

bool has_half_precision(const Model& model) {
  const Graph& graph = model.graph;
  return std::ranges::any_of(graph.initializers,
                             [](const auto& i) { return is_half(i.second.dtype()); }) ||
         std::ranges::any_of(graph.inputs, [](const auto& i) { return is_half(i.dtype); }) ||
         std::ranges::any_of(graph.nodes, makes_half);
}

WideModel widened(const Model& model) {
  WideModel wide{model, 0};
  Graph& graph = wide.model.graph;
  FreshNames names(model.graph);
  std::vector<Node> nodes;
  for (const auto& [name, tensor] : model.graph.initializers) {
    if (!is_half(tensor.dtype())) continue;
    Node cast;
    cast.op_type = "Cast";
    cast.name = names(name + "/stored");
    cast.inputs = {cast.name};
    cast.outputs = {name};
    cast.attributes = {{"to", static_cast<int64_t>(DType::f32)}};
    graph.initializers.emplace(cast.name, tensor);
    graph.initializers.erase(name);
    nodes.push_back(std::move(cast));
  }
  wide.casts = nodes.size();
  for (Node& node : graph.nodes) {
    widen(node);
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
  widen(graph.inputs);
  widen(graph.outputs);
  widen(graph.value_info);
  return wide;
}

void move_sites_back(const WideModel& wide, std::vector<Site>& sites) {
  const auto move_back = [&](Use& use) { use.node -= wide.casts; };
  for (Site& site : sites) {
    std::ranges::for_each(site.uses, move_back);
    if (site.residual) move_back(*site.residual);
  }
}

void find_types(const Model& model, std::vector<Site>& sites) {
  if (!has_half_precision(model)) return;
  const AbstractValues values = evaluate_abstractly(model, input_shapes_for(model, 2, 3));
  for (Site& site : sites) site.dtype = values.at(site.value).dtype;
}

}  // namespace fp8q
