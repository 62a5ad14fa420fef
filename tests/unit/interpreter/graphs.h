// Defines small models written by hand.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <map>
#include <string>
#include <vector>

#include "graph/model.h"
#include "interpreter/interpreter.h"

namespace fp8q::test {

inline Node node(std::string op_type, std::vector<std::string> inputs,
                 std::vector<std::string> outputs,
                 std::map<std::string, Attribute> attributes = {}) {
  Node n;
  n.op_type = std::move(op_type);
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  n.attributes = std::move(attributes);
  return n;
}

inline ValueInfo input(std::string name, DType dtype, std::vector<int64_t> dims) {
  ValueInfo v;
  v.name = std::move(name);
  v.dtype = dtype;
  v.has_shape = true;
  for (const int64_t d : dims) v.shape.push_back({d, ""});
  return v;
}

inline Model model(int64_t opset, std::vector<ValueInfo> inputs, std::vector<Node> nodes,
                   std::vector<std::string> outputs,
                   std::map<std::string, Tensor> initializers = {}) {
  Model m;
  m.opsets[""] = opset;
  m.graph.inputs = std::move(inputs);
  m.graph.nodes = std::move(nodes);
  m.graph.initializers = std::move(initializers);
  for (auto& output : outputs)
    m.graph.outputs.push_back({std::move(output), DType::f32, false, {}});
  return m;
}

// Returns the first output of a node whose inputs are all given. An empty tensor name is not
// possible here.
inline Tensor run_node(int64_t opset, const std::string& op_type, const std::vector<Tensor>& inputs,
                       std::map<std::string, Attribute> attributes = {}) {
  std::vector<std::string> names;
  std::map<std::string, Tensor> constants;
  for (size_t i = 0; i < inputs.size(); ++i) {
    names.push_back(fmt::format("x{}", i));
    constants[names.back()] = inputs[i];
  }
  const Model m =
      model(opset, {}, {node(op_type, names, {"y"}, std::move(attributes))}, {"y"}, constants);
  return Interpreter(m).run({}).at("y");
}

using F = std::vector<float>;

inline Tensor floats(Shape shape, const F& v) { return Tensor::of<float>(std::move(shape), v); }

template <typename T>
std::vector<T> values(const Tensor& t) {
  return {t.data<T>().begin(), t.data<T>().end()};
}

}  // namespace fp8q::test
