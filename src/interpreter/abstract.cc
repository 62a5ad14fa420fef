#include "interpreter/abstract.h"

#include <algorithm>
#include <array>

#include "interpreter/operator.h"

namespace fp8q {

Contents Contents::later(std::function<Tensor()> compute) {
  Contents contents;
  contents.state_ = std::make_shared<State>(State{{}, std::move(compute)});
  return contents;
}

const Tensor& Contents::operator*() const {
  if (state_->compute) {
    state_->tensor = state_->compute();
    state_->compute = nullptr;
  }
  return state_->tensor;
}

namespace {

AbstractValues given_values(const Model& model, const std::map<std::string, Shape>& input_shapes) {
  AbstractValues values;
  for (const ValueInfo& input : model.graph.inputs) {
    const auto it = input_shapes.find(input.name);
    if (it == input_shapes.end())
      fail(ErrorCode::bad_data, "no shape is given for input \"{}\"", printable(input.name));
    if (!checked_elements(it->second))
      fail(ErrorCode::limit, "input \"{}\": the shape {} is more than fp8q can hold",
           printable(input.name), to_string(it->second));
    values[input.name] = {input.dtype, it->second, std::nullopt};
  }
  for (const auto& [name, tensor] : model.graph.initializers)
    values[name] = {tensor.dtype(), tensor.shape(), tensor};
  return values;
}

OpContext context_of(const Model& model, const Node& node, const AbstractValues& values) {
  std::vector<std::optional<Operand>> operands;
  for (const std::string& input : node.inputs) {
    if (input.empty()) {
      operands.emplace_back();
      continue;
    }
    const auto it = values.find(input);
    if (it == values.end())
      fail(ErrorCode::bad_model, "{}: input \"{}\" is made by no earlier node", describe(node),
           printable(input));
    const AbstractValue& value = it->second;
    operands.emplace_back(
        Operand{value.dtype, value.shape, nullptr, value.contents ? &value.contents : nullptr});
  }
  return OpContext(node, opset_for(model, node), std::move(operands));
}

// Returns whether to delay the result of a node. Large results of these operators wait, because
// files store weights behind them. They cannot fail once their types are right.
bool can_wait(const Node& node, const Types& types) {
  constexpr std::array kStorage = {"DequantizeLinear", "Cast", "Transpose", "Reshape", "Identity"};
  constexpr int64_t kLarge = 1 << 16;
  return node.domain.empty() && std::ranges::find(kStorage, node.op_type) != kStorage.end() &&
         elements(types[0].shape) > kLarge;
}

Contents execute_later(const Model& model, const Node& node, const AbstractValues& values,
                       const Types& types) {
  AbstractValues inputs;  // shares the contents of its values
  for (const std::string& input : node.inputs)
    if (!input.empty()) inputs.emplace(input, values.at(input));
  return Contents::later([&model, &node, inputs = std::move(inputs), types] {
    MemoryBudget budget = MemoryBudget::for_one_node();
    return std::move(execute(context_of(model, node, inputs), types, budget)[0]);
  });
}

}  // namespace

AbstractValues evaluate_abstractly(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes) {
  require_supported(model);
  AbstractValues values = given_values(model, input_shapes);
  MemoryBudget budget = MemoryBudget::for_constants(model);
  for (const Node& node : model.graph.nodes) {
    const OpContext context = context_of(model, node, values);
    Types types = infer(context);
    if (context.all_contents_known() && can_wait(node, types)) {
      budget.take(context, types);
      types[0].contents = execute_later(model, node, values, types);
    } else if (context.all_contents_known()) {
      Tensors made = execute(context, types, budget);
      for (size_t i = 0; i < made.size(); ++i) types[i].contents = std::move(made[i]);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (!node.outputs[i].empty()) values.insert_or_assign(node.outputs[i], std::move(types[i]));
  }
  return values;
}

std::map<std::string, Shape> input_shapes_for(const Model& model, int64_t batch, int64_t sequence) {
  const int64_t chosen[] = {batch, sequence};
  std::map<std::string, Shape> shapes;
  for (const ValueInfo& input : model.graph.inputs) {
    if (!input.has_shape) {
      shapes[input.name] = {batch, sequence};
      continue;
    }
    Shape& shape = shapes[input.name];
    for (size_t i = 0; i < input.shape.size(); ++i) {
      const bool open = input.shape[i].value < 0;
      if (open && i >= std::size(chosen))
        fail(ErrorCode::unsupported, "input \"{}\": dimension {} is not fixed by the model",
             printable(input.name), i);
      shape.push_back(open ? chosen[i] : input.shape[i].value);
    }
  }
  return shapes;
}

}  // namespace fp8q
