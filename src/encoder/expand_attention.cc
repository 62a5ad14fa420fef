#include "encoder/expand_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "graph/graph.h"
#include "interpreter/abstract.h"

namespace fp8q {
namespace {

bool is_attention(const Node& node) { return is_op(&node, "Attention"); }

bool has_input(const Node& node, size_t i) { return !input_or_empty(node, i).empty(); }

// Returns whether the node computes what expand() writes out, at the shapes of `values`.
bool is_plain(const Node& node, const AbstractValues& values) {
  const auto input = [&](size_t i) -> const AbstractValue& { return values.at(node.inputs[i]); };
  if (has_input(node, 4) || has_input(node, 5) || has_input(node, 6)) return false;
  for (size_t i = 1; i < node.outputs.size(); ++i)
    if (!node.outputs[i].empty()) return false;
  if (int_attribute(node, "is_causal", 0) != 0 || float_attribute(node, "softcap", 0) != 0)
    return false;
  const AbstractValue &query = input(0), &key = input(1);
  const bool flat = query.shape.size() == 3;
  const bool shares_keys =
      flat ? int_attribute(node, "q_num_heads", 0) != int_attribute(node, "kv_num_heads", 0)
           : query.shape[1] != key.shape[1];
  if (shares_keys || key.dtype != query.dtype || input(2).dtype != query.dtype) return false;
  if (!has_input(node, 3)) return true;
  const AbstractValue& mask = input(3);
  return (mask.dtype == DType::boolean || mask.dtype == query.dtype) &&
         mask.shape.back() == key.shape[flat ? 1 : 2];
}

// Adds the nodes of one attention, named after it.
class Writer {
 public:
  Writer(Graph& graph, FreshNames& names, std::vector<Node>& nodes, const Node& attention)
      : graph_(graph),
        names_(names),
        nodes_(nodes),
        stem_(attention.name.empty() ? attention.outputs[0] : attention.name) {}

  std::string constant(const char* what, Tensor tensor) {
    std::string name = names_(stem_ + "/" + what);
    graph_.initializers.emplace(name, std::move(tensor));
    return name;
  }
  std::string add(const std::string& op_type, const char* what, std::vector<std::string> inputs,
                  std::map<std::string, Attribute> attributes = {}) {
    Node node;
    node.op_type = op_type;
    node.outputs = {names_(stem_ + "/" + what)};
    node.name = node.outputs[0];
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    nodes_.push_back(std::move(node));
    return nodes_.back().outputs[0];
  }
  std::string transpose(const char* what, const std::string& value, std::vector<int64_t> perm) {
    return add("Transpose", what, {value}, {{"perm", std::move(perm)}});
  }
  std::string cast(const char* what, const std::string& value, DType to) {
    return add("Cast", what, {value}, {{"to", static_cast<int64_t>(to)}});
  }
  std::vector<Node>& nodes() { return nodes_; }

 private:
  Graph& graph_;
  FreshNames& names_;
  std::vector<Node>& nodes_;
  std::string stem_;
};

// Returns the probabilities: the softmax of the scores with the mask.
std::string probabilities(Writer& w, const Node& node, std::string scores,
                          const AbstractValues& values) {
  const DType dtype = values.at(node.inputs[0]).dtype;
  if (has_input(node, 3)) {
    const std::string& mask = node.inputs[3];
    if (values.at(mask).dtype == DType::boolean) {
      const Tensor never = Tensor::scalar(-std::numeric_limits<float>::infinity()).to(dtype);
      scores = w.add("Where", "masked", {mask, scores, w.constant("never", never)});
    } else {
      scores = w.add("Add", "masked", {scores, mask});
    }
  }
  const auto precision =
      static_cast<DType>(int_attribute(node, "softmax_precision", static_cast<int64_t>(dtype)));
  if (precision != dtype) scores = w.cast("masked_wide", scores, precision);
  std::string p = w.add("Softmax", "probabilities", {scores}, {{"axis", int64_t{-1}}});
  return precision == dtype ? p : w.cast("probabilities_narrow", p, dtype);
}

void expand(Writer& w, const Node& node, const AbstractValues& values) {
  const AbstractValue& query = values.at(node.inputs[0]);
  std::vector<std::string> heads(node.inputs.begin(), node.inputs.begin() + 3);
  int64_t width = query.shape.back();
  const bool flat = query.shape.size() == 3;
  if (flat) {
    const int64_t count = int_attribute(node, "q_num_heads", 0);
    width /= count;
    const std::string shape =
        w.constant("heads_shape", Tensor::of<int64_t>({4}, {0, 0, count, -1}));
    for (std::string& value : heads) value = w.add("Reshape", "heads", {value, shape});
    heads[0] = w.transpose("query", heads[0], {0, 2, 1, 3});
    heads[2] = w.transpose("value", heads[2], {0, 2, 1, 3});
  }
  heads[1] = w.transpose(
      "key", heads[1], flat ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 1, 3, 2});
  const float scale = float_attribute(node, "scale", 1 / std::sqrt(static_cast<float>(width)));
  const std::string root =
      w.constant("root_of_scale", Tensor::scalar(std::sqrt(scale)).to(query.dtype));
  const std::string scores = w.add("MatMul", "scores",
                                   {w.add("Mul", "query_scaled", {heads[0], root}),
                                    w.add("Mul", "key_scaled", {heads[1], root})});
  const std::string p = probabilities(w, node, scores, values);
  const std::string context = w.add("MatMul", "context", {p, heads[2]});
  if (flat) {
    const std::string joined = w.transpose("context_by_token", context, {0, 2, 1, 3});
    w.add("Reshape", "joined",
          {joined, w.constant("joined_shape", Tensor::of<int64_t>({3}, {0, 0, -1}))});
  }
  w.nodes().back().outputs[0] = node.outputs[0];
}

AbstractValues values_of(const Model& model) {
  try {
    return evaluate_abstractly(model, input_shapes_for(model, 2, 3));
  } catch (const Error&) {
    return {};  // recognizing the encoder meets the same error and reports it
  }
}

}  // namespace

void expand_attention(Model& model) {
  if (std::ranges::none_of(model.graph.nodes, is_attention)) return;
  const AbstractValues values = values_of(model);
  if (values.empty()) return;
  FreshNames names(model.graph);
  std::vector<Node> nodes;
  for (Node& node : model.graph.nodes) {
    if (is_attention(node) && is_plain(node, values)) {
      Writer writer(model.graph, names, nodes, node);
      expand(writer, node, values);
    } else {
      nodes.push_back(std::move(node));
    }
  }
  model.graph.nodes = std::move(nodes);
}

}  // namespace fp8q
