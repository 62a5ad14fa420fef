#include "encoder/match.h"

#include <algorithm>
#include <array>

#include "interpreter/interpreter.h"

namespace fp8q::match {
namespace {

// Contents above this size are compared and kept only if the model itself holds them.
constexpr int64_t kLargeContents = 1 << 16;

Probe make_probe(const Model& model, int64_t batch, int64_t sequence) {
  Probe probe;
  probe.input_shapes = input_shapes_for(model, batch, sequence);
  probe.values = evaluate_abstractly(model, probe.input_shapes);
  for (const auto& input : model.graph.inputs) {
    const Shape& shape = probe.input_shapes.at(input.name);
    if (shape.size() != 2) continue;
    probe.batch = shape[0];
    probe.sequence = shape[1];
    break;
  }
  return probe;
}

// Returns a sequence long enough to leave the window of local attention (64 to each side in common
// models). If the position table is too short for it, returns just another shape.
Probe second_probe(const Model& model) {
  try {
    return make_probe(model, 1, 67);
  } catch (const Error&) {
    return make_probe(model, 3, 5);
  }
}

}  // namespace

View::View(const Model& model, bool widened)
    : model_(&model), widened_(widened), index_(model.graph) {
  for (const auto& input : model.graph.inputs) inputs_.insert(input.name);
  try {
    probes_.push_back(make_probe(model, 2, 3));
    if (input_shapes_for(model, 3, 5) != probes_[0].input_shapes)
      probes_.push_back(second_probe(model));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::limit) throw;
    differ("shapes do not follow batch size and sequence length: {}", error.what());
  }
  if (probes_[0].batch == 0) differ("no input of token ids: none has two dimensions");
  // Large folded contents are the same at both probes; one copy of them is enough.
  if (probes_.size() > 1)
    for (auto& [name, value] : probes_[1].values)
      if (elements(value.shape) > kLargeContents && !index_.initializer(name))
        value.contents.reset();
}

int64_t View::position(const std::string& value) const {
  const auto at = index_.producer_index(value);
  return at ? static_cast<int64_t>(*at) : -1;
}

const Shape& View::shape(const std::string& value) const {
  if (const Tensor* tensor = index_.initializer(value)) return tensor->shape();
  const auto it = probes_[0].values.find(value);
  FP8Q_ASSERT(it != probes_[0].values.end());
  return it->second.shape;
}

DType View::dtype(const std::string& value) const {
  if (const Tensor* tensor = index_.initializer(value)) return tensor->dtype();
  const auto it = probes_[0].values.find(value);
  FP8Q_ASSERT(it != probes_[0].values.end());
  return it->second.dtype;
}

const Tensor* View::contents(const std::string& value, size_t probe) const {
  if (const Tensor* tensor = index_.initializer(value)) return tensor;
  const auto& values = probes_[probe].values;
  const auto it = values.find(value);
  if (it == values.end() || !it->second.contents) return nullptr;
  return &*it->second.contents;
}

bool View::is_known(const std::string& value, size_t probe) const {
  if (index_.initializer(value)) return true;
  const auto it = probes_[probe].values.find(value);
  return it != probes_[probe].values.end() && it->second.contents;
}

bool View::is_constant(const std::string& value) const {
  if (index_.initializer(value)) return true;
  if (!is_known(value)) return false;
  if (probes_.size() == 1) return true;
  if (elements(shape(value)) > kLargeContents)
    return probes_[1].values.at(value).shape == shape(value);
  return is_known(value, 1) && identical(*contents(value), *contents(value, 1));
}

const Tensor* View::constant(const std::string& value) const {
  return is_constant(value) ? contents(value) : nullptr;
}

std::optional<double> View::scalar(const std::string& value) const {
  const Tensor* tensor = constant(value);
  if (!tensor || tensor->size() != 1) return std::nullopt;
  return tensor->to(DType::f64).data<double>()[0];
}

std::string View::plain(std::string value) const {
  while (const Node* node = producer(value)) {
    const bool same_type =
        node->op_type == "Cast" && dtype(node->inputs[0]) == dtype(node->outputs[0]);
    const bool dropout = node->op_type == "Dropout" && node->outputs[0] == value;
    if (!node->domain.empty() || !(node->op_type == "Identity" || dropout || same_type)) break;
    value = node->inputs[0];
  }
  return value;
}

std::string View::rows(std::string value) const {
  static constexpr std::array kReshapes = {"Reshape", "Squeeze", "Unsqueeze", "Flatten"};
  for (value = plain(std::move(value));; value = plain(std::move(value))) {
    const Node* node = producer(value);
    if (!node || std::ranges::none_of(kReshapes, [&](auto op) { return is_op(node, op); })) break;
    const Shape &from = shape(node->inputs[0]), &to = shape(value);
    if (from.empty() || to.empty() || from.back() != to.back()) break;
    value = node->inputs[0];
  }
  return value;
}

std::string View::where(const std::string& value) const {
  if (const Node* node = producer(value)) return describe(*node);
  return fmt::format("{} \"{}\"", is_graph_input(value) ? "input" : "constant", printable(value));
}

namespace {

Model piece_of(const Model& model, const std::string& output, const Tensors& inputs) {
  Model piece;
  piece.ir_version = model.ir_version;
  piece.opsets = model.opsets;
  for (const auto& [name, tensor] : inputs) {
    ValueInfo info;
    info.name = name;
    info.dtype = tensor.dtype();
    piece.graph.inputs.push_back(std::move(info));
  }
  ValueInfo result;
  result.name = output;
  piece.graph.outputs.push_back(std::move(result));
  return piece;
}

}  // namespace

Tensor run(const View& view, size_t probe, const Cone& cone, const std::string& output,
           const Tensors& given) {
  if (const auto it = given.find(output); it != given.end()) return it->second;
  if (const Tensor* known = view.contents(output, probe)) return *known;
  std::set<std::string> read;
  for (const size_t n : cone.nodes)
    read.insert(view.node(n).inputs.begin(), view.node(n).inputs.end());
  Tensors inputs;
  for (const auto& [name, tensor] : given)
    if (read.contains(name)) inputs.emplace(name, tensor);
  Model piece = piece_of(view.model(), output, inputs);
  for (const auto& name : cone.known)
    piece.graph.initializers.emplace(name, *view.contents(name, probe));
  for (const size_t n : cone.nodes) piece.graph.nodes.push_back(view.node(n));
  return Interpreter(piece, view.model()).run(inputs).at(output);
}

Tensor run_chain(const View& view, std::span<const Link> chain, const Tensor& input) {
  if (chain.empty()) return input;
  const std::string& first = view.node(chain.front().node).inputs[0];
  const Link& last = chain.back();
  const std::string output = view.node(last.node).outputs[last.output];
  const Tensors inputs = {{first, input}};
  Model piece = piece_of(view.model(), output, inputs);
  std::string current = first;
  for (const auto& [n, result] : chain) {
    Node node = view.node(n);
    node.inputs[0] = current;
    for (size_t i = 1; i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      const Tensor* known = view.contents(node.inputs[i]);
      if (!known) differ("{} moves data to places that depend on the tokens", describe(node));
      piece.graph.initializers.insert_or_assign(node.inputs[i], *known);
    }
    current = node.outputs[result];
    piece.graph.nodes.push_back(std::move(node));
  }
  return Interpreter(piece, view.model()).run(inputs).at(output);
}

namespace {

template <size_t N>
bool among(const Node& node, const std::array<std::string_view, N>& ops) {
  return node.domain.empty() && std::ranges::find(ops, node.op_type) != ops.end();
}

}  // namespace

bool is_movement(const Node& node) {
  static constexpr std::array<std::string_view, 9> kOps = {"Reshape",   "Transpose", "Squeeze",
                                                           "Unsqueeze", "Flatten",   "Slice",
                                                           "Gather",    "Split",     "Identity"};
  return among(node, kOps);
}

bool is_elementwise(const Node& node) {
  static constexpr std::array<std::string_view, 28> kOps = {
      "Add",  "Sub",   "Mul",     "Div",     "Pow",      "Sqrt",      "Erf",
      "Tanh", "Gelu",  "Relu",    "Sigmoid", "Exp",      "Neg",       "Reciprocal",
      "Abs",  "Where", "Max",     "Min",     "Clip",     "Identity",  "Dropout",
      "Cast", "Less",  "Greater", "Sign",    "Softplus", "LeakyRelu", "HardSwish"};
  return among(node, kOps);
}

}  // namespace fp8q::match
