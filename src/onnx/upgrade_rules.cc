#include "onnx/upgrade_rules.h"

#include <limits>

#include "base/error.h"

namespace fp8q {
namespace {

// Adds an initializer named after the node that reads it.
std::string add_constant(UpgradeContext& context, const Node& node, const char* role,
                         Tensor tensor) {
  const std::string stem = node.name.empty() ? node.outputs.at(0) : node.name;
  std::string name = context.names(stem + "/" + role);
  context.graph.initializers.emplace(name, std::move(tensor));
  return name;
}

std::string add_indices(UpgradeContext& context, const Node& node, const char* role,
                        const std::vector<int64_t>& values) {
  return add_constant(context, node, role,
                      Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}

// Adds a scalar with the element type of the node's first input.
std::string add_number_like_input(UpgradeContext& context, const Node& node, const char* role,
                                  float value) {
  const std::string number = add_constant(context, node, role, Tensor::scalar<float>(value));
  std::string typed = context.names(number + "/typed");
  context.before.push_back({.op_type = "CastLike",
                            .name = typed,
                            .inputs = {number, node.inputs[0]},
                            .outputs = {typed}});
  return typed;
}

Node make_node(UpgradeContext& context, const std::string& op_type, const Node& like,
               std::vector<std::string> inputs) {
  const std::string stem = like.name.empty() ? like.outputs.at(0) : like.name;
  const std::string output = context.names(stem + "/" + op_type);
  return {.op_type = op_type, .name = output, .inputs = std::move(inputs), .outputs = {output}};
}

void expect_inputs(const Node& node, size_t count) {
  if (node.inputs.size() != count || node.inputs[0].empty())
    fail(ErrorCode::bad_model, "{}: has {} inputs, its operator set asks for {}", describe(node),
         node.inputs.size(), count);
  if (node.outputs.empty()) fail(ErrorCode::bad_model, "{}: has no output", describe(node));
}

void no_rule(UpgradeContext&, Node& node) {
  fail(ErrorCode::unsupported,
       "{}: the meaning of {} changed since the model's opset and it cannot be upgraded; export "
       "the model again with opset {}",
       describe(node), printable(node.op_type), kConvertedOpset);
}

void axes_input(UpgradeContext& context, Node& node) {
  if (!node.attributes.contains("axes")) return;
  expect_inputs(node, 1);
  node.inputs.push_back(add_indices(context, node, "axes", ints_attribute(node, "axes", {})));
  node.attributes.erase("axes");
}

void slice_inputs(UpgradeContext& context, Node& node) {
  expect_inputs(node, 1);
  for (const char* role : {"starts", "ends", "axes"}) {
    if (!node.attributes.contains(role)) continue;
    node.inputs.push_back(add_indices(context, node, role, ints_attribute(node, role, {})));
    node.attributes.erase(role);
  }
  if (node.inputs.size() < 3)
    fail(ErrorCode::bad_model, "{}: has no starts or ends", describe(node));
}

void topk_input(UpgradeContext& context, Node& node) {
  expect_inputs(node, 1);
  node.inputs.push_back(add_indices(context, node, "k", {int_attribute(node, "k", 1)}));
  node.attributes.erase("k");
}

void clip_inputs(UpgradeContext& context, Node& node) {
  expect_inputs(node, 1);
  constexpr float kLargest = std::numeric_limits<float>::max();  // the default: no limit
  const float low = float_attribute(node, "min", -kLargest);
  const float high = float_attribute(node, "max", kLargest);
  node.inputs.resize(3);
  if (low != -kLargest) node.inputs[1] = add_number_like_input(context, node, "min", low);
  if (high != kLargest) node.inputs[2] = add_number_like_input(context, node, "max", high);
  node.attributes.erase("min");
  node.attributes.erase("max");
}

void pad_inputs(UpgradeContext& context, Node& node) {
  expect_inputs(node, 1);
  node.inputs.push_back(add_indices(context, node, "pads", ints_attribute(node, "pads", {})));
  const float value = float_attribute(node, "value", 0.0F);
  if (value != 0.0F) node.inputs.push_back(add_number_like_input(context, node, "value", value));
  node.attributes.erase("pads");
  node.attributes.erase("value");
}

void dropout_to_identity(UpgradeContext& context, Node& node) {
  expect_inputs(node, 1);
  if (node.outputs.size() > 1) {
    const std::string& mask = node.outputs[1];
    if (!mask.empty() && (!context.index.uses(mask).empty() || context.index.is_graph_output(mask)))
      fail(ErrorCode::unsupported, "{}: its mask is used, which inference has no meaning for",
           describe(node));
    node.outputs.resize(1);
  }
  node.op_type = "Identity";
  node.attributes.clear();
}

// Before opset 13, these operators flatten the input to two dimensions at `axis` and normalize the
// rows.
void softmax_axis(UpgradeContext& context, Node& node) {
  expect_inputs(node, 1);
  const int64_t axis = int_attribute(node, "axis", 1);
  const auto rank = context.ranks(node.inputs[0]);
  node.attributes["axis"] = axis;
  if (axis == -1 || (rank && axis == *rank - 1)) return;
  const std::string input = node.inputs[0];
  const std::string output = node.outputs[0];
  Node shape = make_node(context, "Shape", node, {input});
  Node flatten = make_node(context, "Flatten", node, {input});
  flatten.attributes["axis"] = axis;
  node.inputs = flatten.outputs;
  node.outputs = {context.names(output + "/flat")};
  node.attributes["axis"] = int64_t{-1};
  Node reshape = make_node(context, "Reshape", node, {node.outputs[0], shape.outputs[0]});
  reshape.outputs = {output};
  // A zero in a shape means "as in the input" unless told otherwise.
  reshape.attributes["allowzero"] = int64_t{1};
  context.before.push_back(std::move(shape));
  context.before.push_back(std::move(flatten));
  context.after.push_back(std::move(reshape));
}

void split_input(UpgradeContext& context, Node& node) {
  if (!node.attributes.contains("split")) return;
  expect_inputs(node, 1);
  node.inputs.push_back(add_indices(context, node, "split", ints_attribute(node, "split", {})));
  node.attributes.erase("split");
}

void split_num_outputs(UpgradeContext&, Node& node) {
  const bool sizes_given = node.inputs.size() > 1 && !node.inputs[1].empty();
  if (!sizes_given) node.attributes["num_outputs"] = static_cast<int64_t>(node.outputs.size());
}

// The default is 1 in every version. It is written out because readers disagree about a missing
// axis.
void explicit_axis(UpgradeContext& context, Node& node) {
  const auto rank = node.inputs.size() > 1 ? context.ranks(node.inputs[1]) : std::nullopt;
  if (rank && *rank == 1) node.attributes.emplace("axis", int64_t{1});
}

}  // namespace

const std::vector<UpgradeRow>& upgrade_rows() {
  static const std::vector<UpgradeRow> rows = {
#define FP8Q_UPGRADE(op_type, version, rule) {#op_type, version, &rule},
#include "onnx/upgrade_rules.def"
#undef FP8Q_UPGRADE
  };
  return rows;
}

}  // namespace fp8q
