#include "onnx/load.h"

#include "graph/graph.h"
#include "tests/support/paths.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

TEST(Load, KeepsWhatTheFileSays) {
  const Model model = parse(tiny_model());
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.opset(), 21);
  EXPECT_EQ(model.producer_name, "tests");
  EXPECT_EQ(model.doc, "a linear layer");
  EXPECT_EQ(model.metadata.at("author"), "nobody");
  ASSERT_EQ(model.graph.nodes.size(), 4U);
  EXPECT_EQ(model.graph.nodes[0].op_type, "MatMul");
  EXPECT_EQ(model.graph.nodes[0].doc, "the product");
  EXPECT_EQ(float_attribute(model.graph.nodes[2], "value_float", 1.0F), 0.0F);
  EXPECT_EQ(model.graph.initializers.at("W").shape(), (Shape{3, 3}));
  EXPECT_EQ(model.graph.initializers.at("W").data<float>()[8], 8.0F);
  ASSERT_EQ(model.graph.inputs.size(), 1U);
  EXPECT_EQ(model.graph.inputs[0].shape[1].value, 3);
  ASSERT_EQ(model.graph.value_info.size(), 1U);
}

TEST(Load, SortsNodes) {
  onnx::ModelProto proto = tiny_model();
  proto.mutable_graph()->mutable_node()->SwapElements(0, 3);
  const Model model = parse(proto);
  EXPECT_EQ(model.graph.nodes.back().op_type, "Max");
}

TEST(Load, StandardDomainHasOneName) {
  onnx::ModelProto proto = tiny_model();
  proto.mutable_opset_import(0)->set_domain("ai.onnx");
  proto.mutable_graph()->mutable_node(0)->set_domain("ai.onnx");
  const Model model = parse(proto);
  EXPECT_EQ(model.opset(), 21);
  EXPECT_EQ(model.graph.nodes[0].domain, "");
}

TEST(Load, InitializersAreNoInputs) {
  onnx::ModelProto proto = tiny_model();
  add_argument(*proto.mutable_graph()->add_input(), "W", {3, 3});
  EXPECT_EQ(parse(proto).graph.inputs.size(), 1U);
  proto.set_ir_version(3);
  EXPECT_EQ(parse(proto).graph.inputs.size(), 1U);
}

TEST(Load, ForeignDomainsMustBeImported) {
  onnx::ModelProto proto = tiny_model();
  auto& import = *proto.add_opset_import();
  import.set_domain("com.example");
  import.set_version(1);
  EXPECT_NO_THROW(parse(proto));  // an unused import is legal
  proto.mutable_graph()->mutable_node(0)->set_domain("com.example");
  EXPECT_EQ(parse(proto).graph.nodes[0].domain, "com.example");
  proto.mutable_graph()->mutable_node(0)->set_domain("com.other");
  expect_parse_error(kBad, "com.other", proto);
}

TEST(Load, Opsets) {
  expect_parse_error(kUnsupported, "version 28", tiny_model(28));
  expect_parse_error(kUnsupported, "version 0", tiny_model(0));
  EXPECT_NO_THROW(parse(tiny_model(27)));
  EXPECT_NO_THROW(parse(tiny_model(1)));
  onnx::ModelProto proto = tiny_model();
  *proto.add_opset_import() = proto.opset_import(0);
  expect_parse_error(kBad, "twice", proto);
  proto.clear_opset_import();
  expect_parse_error(kBad, "does not import", proto);
}

TEST(Load, NamesAreUnique) {
  onnx::ModelProto proto = tiny_model();
  add_weight(proto, "W", {1});
  expect_parse_error(kBad, "initializer \"W\" occurs twice", proto);

  proto = tiny_model();
  add_argument(*proto.mutable_graph()->add_input(), "x");
  expect_parse_error(kBad, "graph input \"x\" occurs twice", proto);

  proto = tiny_model();
  add_node(*proto.mutable_graph(), "Relu", {"x"}, {"sum"});
  expect_parse_error(kBad, "\"sum\" is made more than once", proto);

  proto = tiny_model();
  *proto.add_metadata_props() = proto.metadata_props(0);
  expect_parse_error(kBad, "metadata \"author\"", proto);
}

TEST(Load, GraphMustBeConnected) {
  onnx::ModelProto proto = tiny_model();
  proto.mutable_graph()->mutable_node(0)->set_input(0, "nowhere");
  expect_parse_error(kBad, "\"nowhere\"", proto);
  proto.mutable_graph()->mutable_node(0)->set_input(0, "y");
  expect_parse_error(kBad, "cycle", proto);
  proto = tiny_model();
  proto.mutable_graph()->mutable_output(0)->set_name("z");
  expect_parse_error(kBad, "\"z\"", proto);
}

TEST(Load, Attributes) {
  onnx::ModelProto proto = tiny_model();
  auto& node = *proto.mutable_graph()->mutable_node(0);
  add_int(node, "alpha", 1);
  add_int(node, "alpha", 2);
  expect_parse_error(kBad, "attribute \"alpha\" occurs twice", proto);
  node.mutable_attribute(1)->set_name("beta");
  node.mutable_attribute(1)->set_f(1.0F);
  expect_parse_error(kBad, "attribute \"beta\": has more than one value", proto);
  node.mutable_attribute(1)->clear_i();
  expect_parse_error(kBad, "declared as INT but holds FLOAT", proto);
  node.mutable_attribute(1)->clear_f();
  EXPECT_EQ(int_attribute(parse(proto).graph.nodes[0], "beta", 7), 0);  // as proto3 writers do
  node.mutable_attribute(1)->set_ref_attr_name("outer");
  expect_parse_error(kBad, "refers to an attribute of a function", proto);
}

TEST(Load, ControlFlowIsRefused) {
  onnx::ModelProto proto = tiny_model();
  auto& attribute = *proto.mutable_graph()->mutable_node(0)->add_attribute();
  attribute.set_name("then_branch");
  attribute.set_type(onnx::AttributeProto_AttributeType_GRAPH);
  attribute.mutable_g()->set_name("inner");
  expect_parse_error(kUnsupported, "MatMul \"MatMul_of_product\": attribute \"then_branch\"",
                     proto);
}

TEST(Load, OnlyDenseTensors) {
  onnx::ModelProto proto = tiny_model();
  auto& type = *proto.mutable_graph()->mutable_input(0)->mutable_type();
  type.mutable_tensor_type()->set_elem_type(onnx::TensorProto_DataType_STRING);
  expect_parse_error(kUnsupported, "\"x\": element type STRING", proto);
  type.mutable_sequence_type();
  expect_parse_error(kUnsupported, "\"x\": is not a tensor", proto);
  proto = tiny_model();
  proto.mutable_graph()->add_sparse_initializer();
  expect_parse_error(kUnsupported, "sparse", proto);
  proto = tiny_model();
  proto.add_training_info();
  expect_parse_error(kUnsupported, "training", proto);
}

TEST(Load, ValuesOfOtherTypesAreNotKept) {
  onnx::ModelProto proto = tiny_model();
  proto.mutable_graph()->mutable_value_info(0)->mutable_type()->mutable_sequence_type();
  EXPECT_TRUE(parse(proto).graph.value_info.empty());
}

TEST(Load, FilesThatAreNoModels) {
  const TemporaryFolder folder;
  const auto expect_refused = [&](const std::string& content, const std::string& part) {
    const fs::path path = folder.write("model.onnx", content);
    expect_error(kBad, part, [&] { load_model(path); });
    expect_error(kBad, "model.onnx: ", [&] { load_model(path); });
  };
  expect_refused("", "is empty");
  expect_refused("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git-LFS pointer");
  expect_refused("<!DOCTYPE html><html>", "web page");
  expect_refused(std::string("PK\x03\x04", 4) + "archive", "PyTorch");
  expect_refused(std::string("\x80\x02", 2) + "cmodule", "pickle");
  expect_refused(std::string("\x10\0\0\0\0\0\0\0{\"a\":{\"dtype\":1}}", 26), "safetensors");
  expect_refused("{\"model_type\": \"bert\"}", "JSON");
  expect_refused("hello world, this is not a model", "is not a valid ONNX model");
  expect_refused(std::string("\x08\x08", 2), "without a graph");
  expect_error(ErrorCode::file, "absent.onnx", [&] { load_model(folder.path() / "absent.onnx"); });
  expect_error(ErrorCode::file, "folder", [&] { load_model(folder.path()); });
}

}  // namespace
}  // namespace fp8q::test
