#include "interpreter/abstract.h"

#include <algorithm>
#include <array>

#include "interpreter/budget.h"
#include "interpreter/operator.h"
#include "interpreter/work.h"

namespace fp8q {

Contents Contents::later(std::function<Tensor()> compute, size_t links) {
  Contents contents;
  contents.state_ = std::make_shared<State>(State{{}, std::move(compute), links});
  return contents;
}

const Tensor& Contents::operator*() const {
  if (state_->compute) {
    state_->tensor = state_->compute();
    state_->compute = nullptr;
    state_->links = 0;
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

// A longer chain of delayed results is computed at once, as recursion must end. Exporters put two
// or three nodes behind a weight.
constexpr size_t kMostLinks = 16;

size_t links_of(const Node& node, const AbstractValues& values) {
  size_t links = 0;
  for (const std::string& input : node.inputs)
    if (!input.empty()) links = std::max(links, values.at(input).contents.links());
  return links + 1;
}

// Returns whether to delay the result of a node. Large results of these operators wait, because
// files store weights behind them. They cannot fail once their types are right.
bool can_wait(const Node& node, const Types& types) {
  constexpr std::array kStorage = {"DequantizeLinear", "Cast", "Transpose", "Reshape", "Identity"};
  constexpr int64_t kLarge = 1 << 16;
  return node.domain.empty() && std::ranges::find(kStorage, node.op_type) != kStorage.end() &&
         elements(types[0].shape) > kLarge;
}

// The budget pays at once for what may be computed later.
Contents execute_later(const Model& model, const Node& node, const AbstractValues& values,
                       const Types& types, Budget& budget) {
  const OpContext context = context_of(model, node, values);
  budget.take(context, types, work_of_elements(context, types));
  AbstractValues inputs;  // shares the contents of its values
  for (const std::string& input : node.inputs)
    if (!input.empty()) inputs.emplace(input, values.at(input));
  const auto compute = [&model, &node, inputs = std::move(inputs), types] {
    return std::move(execute(context_of(model, node, inputs), types)[0]);
  };
  return Contents::later(compute, links_of(node, values));
}

}  // namespace

AbstractValues evaluate_abstractly(const Model& model,
                                   const std::map<std::string, Shape>& input_shapes) {
  require_supported(model);
  AbstractValues values = given_values(model, input_shapes);
  Budget budget = Budget::for_constants(model);
  for (const Node& node : model.graph.nodes) {
    const OpContext context = context_of(model, node, values);
    Types types = infer(context);
    const bool known = context.all_contents_known();
    if (known && can_wait(node, types) && links_of(node, values) <= kMostLinks) {
      types[0].contents = execute_later(model, node, values, types, budget);
    } else if (known) {
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
