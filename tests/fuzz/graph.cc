// Makes a graph from bytes and runs it in two ways: with its inputs given at run time, and with
// inputs that are constants. Both must give the same, abstract evaluation must know the types,
// shapes and contents of all values before, and every node must give what its operator is defined
// to give (definitions.h).
#include "base/error.h"
#include "interpreter/abstract.h"
#include "interpreter/interpreter.h"
#include "tests/fuzz/definitions.h"
#include "tests/fuzz/graph_generator.h"

namespace fp8q::test {
namespace {

using Values = std::map<std::string, Tensor>;

std::string describe_all(const Model& model) {
  std::string text = fmt::format("opset {}:", model.opset());
  for (const Node& node : model.graph.nodes)
    text += fmt::format(" {}({}) -> {};", node.op_type, fmt::join(node.inputs, ", "),
                        fmt::join(node.outputs, ", "));
  return text;
}

void check_value(const Model& model, const AbstractValues& known, const std::string& name,
                 const Tensor& tensor) {
  const auto found = known.find(name);
  require(found != known.end(), "a value is unknown: " + describe_all(model));
  const AbstractValue& value = found->second;
  if (value.dtype != tensor.dtype() || value.shape != tensor.shape())
    crash(fmt::format("{} is {}{} but was expected to be {}{}: {}", name,
                      fp8q::name(tensor.dtype()), to_string(tensor.shape()),
                      fp8q::name(value.dtype), to_string(value.shape), describe_all(model)));
  if (value.contents)
    require(identical(*value.contents, tensor), "contents differ: " + describe_all(model));
}

// Every node is computed from what the interpreter gave it, so that differences do not add up.
void check_nodes(const Model& model, const Values& values) {
  for (const Node& node : model.graph.nodes) {
    std::vector<const Tensor*> inputs;
    for (const std::string& name : node.inputs)
      inputs.push_back(name.empty() ? nullptr : &values.at(name));
    const auto defined = define(node, model.opset(), inputs);
    if (!defined) continue;
    const std::string problem = difference(*defined, values.at(node.outputs[0]));
    if (!problem.empty())
      crash(fmt::format("{} {}: {}", node.outputs[0], problem, describe_all(model)));
  }
}

// Returns the outputs, or nullopt if the graph cannot run.
std::optional<Values> run(const Model& model, const Values& inputs, const AbstractValues& known) {
  std::optional<Values> outputs;
  Values values = inputs;
  succeeds([&] {
    const Interpreter interpreter(model);
    outputs = interpreter.run(inputs, [&](const std::string& name, const Tensor& tensor) {
      check_value(model, known, name, tensor);
      values.emplace(name, tensor);
    });
  });
  if (!outputs) return outputs;
  values.insert(model.graph.initializers.begin(), model.graph.initializers.end());
  for (const auto& [name, value] : known)
    if (value.contents) values.emplace(name, *value.contents);
  check_nodes(model, values);
  return outputs;
}

void check_folding(const GeneratedGraph& graph, const std::optional<Values>& expected) {
  Model folded = graph.model;
  folded.graph.inputs.clear();
  folded.graph.initializers.insert(graph.inputs.begin(), graph.inputs.end());
  std::optional<Values> outputs;
  succeeds([&] { outputs = Interpreter(folded).run({}); });
  require(outputs.has_value() == expected.has_value(),
          "running and folding do not both work: " + describe_all(folded));
  if (!outputs) return;
  for (const auto& [name, tensor] : *outputs)
    require(identical(tensor, expected->at(name)),
            "folding gives other values: " + describe_all(folded));
}

}  // namespace
}  // namespace fp8q::test

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fp8q;
  using namespace fp8q::test;
  ByteSource bytes(data, size);
  const GeneratedGraph graph = generate_graph(bytes);
  if (graph.model.graph.nodes.empty()) return 0;
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : graph.inputs) shapes[name] = tensor.shape();
  const AbstractValues known = evaluate_abstractly(graph.model, shapes);
  const auto outputs = run(graph.model, graph.inputs, known);
  check_folding(graph, outputs);
  return 0;
}
