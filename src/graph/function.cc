#include "graph/function.h"

#include <map>

#include "base/error.h"

namespace fp8q {

std::vector<Node> expand(const LocalFunction& function, const Node& call, FreshNames& names) {
  FP8Q_ASSERT(!call.name.empty());
  FP8Q_ASSERT(call.inputs.size() == function.inputs.size());
  FP8Q_ASSERT(call.outputs.size() == function.outputs.size());
  const std::string prefix = call.name + "/";
  std::map<std::string, std::string> values;
  for (size_t i = 0; i < call.inputs.size(); ++i) values[function.inputs[i]] = call.inputs[i];
  for (size_t i = 0; i < call.outputs.size(); ++i) values[function.outputs[i]] = call.outputs[i];
  std::vector<Node> nodes;
  for (Node node : function.body) {
    node.name.insert(0, prefix);
    for (auto& input : node.inputs) input = values.at(input);
    for (auto& output : node.outputs) {
      const auto known = values.find(output);
      output = known != values.end() ? known->second
                                     : values.emplace(output, names(prefix + output)).first->second;
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace fp8q
