// Tests the structure after the upgrade. That results stay the same is tested where models are run.
#include "onnx/upgrade.h"

#include "graph/graph.h"
#include "onnx/save.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

// Makes "x" [2, 3] -> one node -> "y", upgrades it to opset 21 and reads it back from bytes.
Model upgrade_one(int64_t opset, const std::string& op_type, const auto& set_attributes) {
  onnx::ModelProto proto = empty_model(opset);
  set_attributes(add_node(*proto.mutable_graph(), op_type, {"x"}, {"y"}));
  Model model = parse(proto);
  upgrade_opset(model);
  EXPECT_EQ(model.opset(), 21);
  EXPECT_EQ(model.ir_version, 10);
  EXPECT_EQ(first_difference(model, parse_model(serialize_model(model), "bytes")), std::nullopt);
  return model;
}

std::vector<int64_t> indices(const Model& model, const std::string& name) {
  const auto data = model.graph.initializers.at(name).data<int64_t>();
  return {data.begin(), data.end()};
}

std::vector<std::string> operators(const Model& model) {
  std::vector<std::string> types;
  for (const Node& node : model.graph.nodes) types.push_back(node.op_type);
  return types;
}

using Names = std::vector<std::string>;
using Indices = std::vector<int64_t>;

TEST(Upgrade, AxesBecomeAnInput) {
  for (const auto& [op_type, opset] :
       std::vector<std::pair<std::string, int64_t>>{{"ReduceMean", 17},
                                                    {"ReduceMax", 11},
                                                    {"ReduceSum", 12},
                                                    {"Squeeze", 11},
                                                    {"Unsqueeze", 8}}) {
    const Model model =
        upgrade_one(opset, op_type, [](auto& node) { add_ints(node, "axes", {-1}); });
    const Node& node = model.graph.nodes.at(0);
    EXPECT_EQ(node.inputs, (Names{"x", op_type + "_of_y/axes"}));
    EXPECT_EQ(indices(model, node.inputs[1]), Indices{-1});
    EXPECT_TRUE(node.attributes.empty());
  }
}

TEST(Upgrade, ReductionOverAllAxesStays) {
  const Model model =
      upgrade_one(13, "ReduceMean", [](auto& node) { add_int(node, "keepdims", 0); });
  EXPECT_EQ(model.graph.nodes[0].inputs, Names{"x"});
  EXPECT_EQ(int_attribute(model.graph.nodes[0], "keepdims", 1), 0);
}

TEST(Upgrade, SliceAndTopK) {
  const Model slice = upgrade_one(9, "Slice", [](auto& node) {
    add_ints(node, "starts", {0});
    add_ints(node, "ends", {2});
  });
  EXPECT_EQ(slice.graph.nodes[0].inputs.size(), 3U);
  EXPECT_EQ(indices(slice, "Slice_of_y/ends"), Indices{2});
  const Model topk = upgrade_one(9, "TopK", [](auto& node) { add_int(node, "k", 2); });
  EXPECT_EQ(indices(topk, "TopK_of_y/k"), Indices{2});
}

TEST(Upgrade, LimitsAndPaddingTakeTheTypeOfTheInput) {
  const Model clip = upgrade_one(10, "Clip", [](auto& node) {
    auto& attribute = *node.add_attribute();
    attribute.set_name("max");
    attribute.set_f(1.0F);
  });
  EXPECT_EQ(operators(clip), (Names{"CastLike", "Clip"}));
  EXPECT_EQ(clip.graph.nodes[1].inputs[1], "");
  const Model pad = upgrade_one(10, "Pad", [](auto& node) {
    add_ints(node, "pads", {0, 0, 1, 1});
  });
  EXPECT_EQ(operators(pad), Names{"Pad"});  // zero is the default
}

TEST(Upgrade, Split) {
  const Model sizes = upgrade_one(11, "Split", [](auto& node) { add_ints(node, "split", {1}); });
  EXPECT_EQ(indices(sizes, "Split_of_y/split"), Indices{1});
  EXPECT_FALSE(sizes.graph.nodes[0].attributes.contains("num_outputs"));
  const Model even = upgrade_one(13, "Split", [](auto& node) { node.add_output("z"); });
  EXPECT_EQ(int_attribute(even.graph.nodes[0], "num_outputs", 0), 2);
}

TEST(Upgrade, SoftmaxOverTheLastAxisStays) {
  const Model one = upgrade_one(11, "Softmax", [](auto&) {});  // of [2, 3]: 1 is the last axis
  EXPECT_EQ(operators(one), Names{"Softmax"});
  EXPECT_EQ(int_attribute(one.graph.nodes[0], "axis", -7), 1);
}

TEST(Upgrade, SoftmaxOverSeveralAxesIsSpelledOut) {
  const Model model = upgrade_one(11, "Softmax", [](auto& node) { add_int(node, "axis", 0); });
  EXPECT_EQ(operators(model), (Names{"Shape", "Flatten", "Softmax", "Reshape"}));
  EXPECT_EQ(model.graph.nodes[3].outputs, Names{"y"});
}

// The graph is exported with opset 11. The rank of the scores follows from the Transpose before.
TEST(Upgrade, SoftmaxInAttentionKeepsItsForm) {
  onnx::ModelProto proto = empty_model(11);
  auto& graph = *proto.mutable_graph();
  graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  for (const char* name : {"q", "k"})
    add_ints(add_node(graph, "Transpose", {"x"}, {name}), "perm", {0, 2, 1, 3});
  add_node(graph, "MatMul", {"q", "k"}, {"scores"});
  add_weight(proto, "eight", {});
  add_node(graph, "Div", {"scores", "eight"}, {"scaled"});
  add_int(add_node(graph, "Softmax", {"scaled"}, {"y"}), "axis", 3);
  Model model = parse(proto);
  upgrade_opset(model);
  EXPECT_EQ(model.graph.nodes.size(), 5U);
  EXPECT_EQ(model.graph.nodes.back().op_type, "Softmax");
}

TEST(Upgrade, DropoutBecomesIdentity) {
  const Model model = upgrade_one(11, "Dropout", [](auto& node) { node.add_output("mask"); });
  EXPECT_EQ(operators(model), Names{"Identity"});
  EXPECT_EQ(model.graph.nodes[0].outputs, Names{"y"});
}

TEST(Upgrade, WhatHasNoRuleIsRefusedByName) {
  Model model = parse([] {
    onnx::ModelProto proto = empty_model(20);
    add_node(*proto.mutable_graph(), "GroupNormalization", {"x"}, {"y"});
    return proto;
  }());
  const Model before = model;
  expect_error(ErrorCode::unsupported, "GroupNormalization", [&] { upgrade_opset(model); });
  EXPECT_EQ(first_difference(before, model), std::nullopt);
  Model ancient = parse(tiny_model(6));
  expect_error(ErrorCode::unsupported, "opset 6", [&] { upgrade_opset(ancient); });
}

TEST(Upgrade, NewModelsStay) {
  for (const int64_t opset : {21, 27}) {
    Model model = parse(tiny_model(opset));
    const Model before = model;
    upgrade_opset(model);
    EXPECT_EQ(first_difference(before, model), std::nullopt);
  }
}

TEST(Upgrade, OtherTargets) {
  Model model = parse(tiny_model(13));
  upgrade_opset(model, 19);
  EXPECT_EQ(model.opset(), 19);
  EXPECT_EQ(model.ir_version, 9);
}

}  // namespace
}  // namespace fp8q::test
