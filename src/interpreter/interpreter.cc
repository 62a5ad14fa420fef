#include "interpreter/interpreter.h"

#include <unordered_map>
#include <unordered_set>

#include "interpreter/budget.h"
#include "interpreter/operator.h"

namespace fp8q {
namespace {

using Values = std::unordered_map<std::string, Tensor>;

void check_input(const ValueInfo& expected, const Tensor& given) {
  if (given.dtype() != expected.dtype)
    fail(ErrorCode::bad_data, "input \"{}\" is {}, the model expects {}", printable(expected.name),
         name(given.dtype()), name(expected.dtype));
  if (!expected.has_shape) return;
  bool fits = given.shape().size() == expected.shape.size();
  for (size_t i = 0; fits && i < expected.shape.size(); ++i)
    fits = expected.shape[i].value < 0 || expected.shape[i].value == given.shape()[i];
  if (!fits)
    fail(ErrorCode::bad_data, "input \"{}\" has the shape {}, which the model does not accept",
         printable(expected.name), to_string(given.shape()));
}

Values bind(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  Values values;
  for (const ValueInfo& expected : graph.inputs) {
    const auto it = inputs.find(expected.name);
    if (it == inputs.end())
      fail(ErrorCode::bad_data, "input \"{}\" of the model is not given", printable(expected.name));
    check_input(expected, it->second);
    values.emplace(expected.name, it->second);
  }
  for (const auto& [name, tensor] : inputs)
    if (!values.contains(name))
      fail(ErrorCode::bad_data, "the model has no input \"{}\"", printable(name));
  return values;
}

uint64_t elements_of(const std::map<std::string, Tensor>& inputs) {
  uint64_t count = 0;
  for (const auto& [name, tensor] : inputs) count += static_cast<uint64_t>(tensor.size());
  return count;
}

// Makes the context of a node; `find` returns the tensor of a value for an input slot.
template <typename Find>
OpContext context_of(const Model& model, const Node& node, Find&& find) {
  std::vector<std::optional<Operand>> operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const std::string& input = node.inputs[i];
    if (input.empty()) {
      operands.emplace_back();
      continue;
    }
    const Tensor* tensor = find(input, i);
    if (!tensor)
      fail(ErrorCode::bad_model, "{}: input \"{}\" is made by no earlier node", describe(node),
           printable(input));
    operands.emplace_back(Operand{tensor->dtype(), tensor->shape(), tensor});
  }
  return OpContext(node, opset_for(model, node), std::move(operands));
}

}  // namespace

Interpreter::Interpreter(const Model& piece, const Model& whole) : model_(&piece), whole_(&whole) {
  require_supported(piece);
  fold_constants();
  plan_releases();
}

void Interpreter::fold_constants() {
  const Graph& graph = model_->graph;
  Budget budget = Budget::for_constants(*whole_);
  folded_.assign(graph.nodes.size(), false);
  std::unordered_set<std::string> needed;  // values that run() reads
  for (const ValueInfo& output : graph.outputs) needed.insert(output.name);
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    bool constant = true;
    for (const auto& input : node.inputs)
      constant = constant && (input.empty() || this->constant(input));
    if (!constant) {
      needed.insert(node.inputs.begin(), node.inputs.end());
      continue;
    }
    const OpContext context =
        context_of(*model_, node, [&](const std::string& v, size_t) { return this->constant(v); });
    Tensors made = execute(context, infer(context), budget);
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty()) constants_.insert_or_assign(node.outputs[i], made[i]);
    folded_[n] = true;
  }
  std::erase_if(constants_, [&](const auto& entry) { return !needed.contains(entry.first); });
}

void Interpreter::plan_releases() {
  const Graph& graph = model_->graph;
  released_after_.assign(graph.nodes.size(), {});
  std::unordered_set<std::string> read_later;
  for (const ValueInfo& output : graph.outputs) read_later.insert(output.name);
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    if (folded_[n]) continue;
    const auto release = [&](const std::string& value) {
      if (!value.empty() && read_later.insert(value).second) released_after_[n].push_back(value);
    };
    for (const auto& output : graph.nodes[n].outputs) release(output);
    for (const auto& input : graph.nodes[n].inputs) release(input);
  }
}

const Tensor* Interpreter::constant(const std::string& value) const {
  const auto& initializers = model_->graph.initializers;
  if (const auto it = initializers.find(value); it != initializers.end()) return &it->second;
  const auto it = constants_.find(value);
  return it == constants_.end() ? nullptr : &it->second;
}

std::map<std::string, Tensor> Interpreter::run(const std::map<std::string, Tensor>& inputs,
                                               const Watch& watch,
                                               const Substitute& substitute) const {
  const Graph& graph = model_->graph;
  Values values = bind(graph, inputs);
  Budget budget = Budget::for_run(*whole_, elements_of(inputs));
  const auto find = [&](const std::string& value) {
    const auto it = values.find(value);
    return it != values.end() ? &it->second : constant(value);
  };
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (folded_[n]) continue;
    const Node& node = graph.nodes[n];
    std::vector<std::optional<Tensor>> others(node.inputs.size());
    const OpContext context = context_of(*model_, node, [&](const std::string& value, size_t i) {
      const Tensor* tensor = find(value);
      if (!substitute || !tensor) return tensor;
      others[i] = substitute({n, i}, *tensor);
      return others[i] ? &*others[i] : tensor;
    });
    Tensors made = execute(context, infer(context), budget);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i].empty()) continue;
      if (watch) watch(node.outputs[i], made[i]);
      values.insert_or_assign(node.outputs[i], std::move(made[i]));
    }
    for (const auto& value : released_after_[n]) values.erase(value);
  }
  std::map<std::string, Tensor> outputs;
  for (const ValueInfo& output : graph.outputs) {
    const Tensor* tensor = find(output.name);
    if (!tensor)
      fail(ErrorCode::bad_model, "graph output \"{}\" is made by no node", printable(output.name));
    outputs.emplace(output.name, *tensor);
  }
  return outputs;
}

}  // namespace fp8q
