// Builds small models for the tests of this folder, as protobuf messages so that they can also be
// wrong.
#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "onnx/load.h"
#include "tests/support/errors.h"

namespace fp8q::test {

inline constexpr auto kBad = ErrorCode::bad_model;
inline constexpr auto kUnsupported = ErrorCode::unsupported;

// Adds a field that only some versions of the ONNX library know, with its bytes.
inline void add_field(google::protobuf::Message& message, int number, const std::string& bytes) {
  google::protobuf::UnknownFieldSet fields;
  fields.AddLengthDelimited(number, bytes);
  std::string encoded;
  fields.SerializeToString(&encoded);
  message.MergeFromString(encoded);
}

inline void add_argument(onnx::ValueInfoProto& value, const std::string& name,
                         const std::vector<int64_t>& dims = {2, 3}) {
  value.set_name(name);
  auto& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto_DataType_FLOAT);
  for (const int64_t dim : dims) type.mutable_shape()->add_dim()->set_dim_value(dim);
}

template <typename Owner>  // GraphProto, FunctionProto
onnx::NodeProto& add_node(Owner& owner, const std::string& op_type,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  auto& node = *owner.add_node();
  node.set_op_type(op_type);
  node.set_name(op_type + "_of_" + outputs.at(0));
  for (const auto& input : inputs) node.add_input(input);
  for (const auto& output : outputs) node.add_output(output);
  return node;
}

inline onnx::AttributeProto& add_ints(onnx::NodeProto& node, const std::string& name,
                                      const std::vector<int64_t>& values) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto_AttributeType_INTS);
  for (const int64_t value : values) attribute.add_ints(value);
  return attribute;
}

inline onnx::AttributeProto& add_int(onnx::NodeProto& node, const std::string& name,
                                     int64_t value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto_AttributeType_INT);
  attribute.set_i(value);
  return attribute;
}

// Adds a float initializer in raw_data, filled with 0, 1, 2, ...
inline onnx::TensorProto& add_weight(onnx::ModelProto& model, const std::string& name,
                                     const std::vector<int64_t>& dims) {
  auto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto_DataType_FLOAT);
  int64_t count = 1;
  for (const int64_t dim : dims) {
    tensor.add_dims(dim);
    count *= dim;
  }
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i));
  tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

// Makes a graph "x" -> ... -> "y" without nodes.
inline onnx::ModelProto empty_model(int64_t opset = 21) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  auto& import = *model.add_opset_import();
  import.set_domain("");
  import.set_version(opset);
  auto& graph = *model.mutable_graph();
  graph.set_name("tiny");
  add_argument(*graph.add_input(), "x");
  add_argument(*graph.add_output(), "y");
  return model;
}

// Makes y = Relu(x W + b), with a Constant, documentation and metadata.
inline onnx::ModelProto tiny_model(int64_t opset = 21) {
  onnx::ModelProto model = empty_model(opset);
  model.set_producer_name("tests");
  model.set_producer_version("1");
  model.set_doc_string("a linear layer");
  auto& entry = *model.add_metadata_props();
  entry.set_key("author");
  entry.set_value("nobody");
  add_weight(model, "W", {3, 3});
  add_weight(model, "b", {3});
  auto& graph = *model.mutable_graph();
  add_node(graph, "MatMul", {"x", "W"}, {"product"}).set_doc_string("the product");
  add_node(graph, "Add", {"product", "b"}, {"sum"});
  auto& constant = *add_node(graph, "Constant", {}, {"zero"}).add_attribute();
  constant.set_name("value_float");
  constant.set_type(onnx::AttributeProto_AttributeType_FLOAT);
  constant.set_f(0.0F);
  add_node(graph, "Max", {"sum", "zero"}, {"y"});
  add_argument(*graph.add_value_info(), "sum");
  return model;
}

inline Model parse(const onnx::ModelProto& model) {
  return parse_model(model.SerializeAsString(), "test.onnx");
}

inline void expect_parse_error(ErrorCode code, const std::string& part,
                               const onnx::ModelProto& model) {
  expect_error(code, part, [&] { parse(model); });
}

}  // namespace fp8q::test
