// Tests the inlining of model-local functions.
#include <ctime>

#include "base/memory.h"
#include "graph/graph.h"
#include "onnx/load.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

constexpr const char* kDomain = "local";

onnx::ModelProto model_with_functions() {
  onnx::ModelProto model = empty_model();
  auto& import = *model.add_opset_import();
  import.set_domain(kDomain);
  import.set_version(1);
  return model;
}

onnx::FunctionProto& add_function(onnx::ModelProto& model, const std::string& name,
                                  const std::vector<std::string>& inputs,
                                  const std::vector<std::string>& outputs) {
  auto& function = *model.add_functions();
  function.set_name(name);
  function.set_domain(kDomain);
  for (const auto& input : inputs) function.add_input(input);
  for (const auto& output : outputs) function.add_output(output);
  auto& import = *function.add_opset_import();
  import.set_domain("");
  import.set_version(21);
  return function;
}

template <typename Owner>
onnx::NodeProto& add_call(Owner& owner, const std::string& function,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  auto& node = add_node(owner, function, inputs, outputs);
  node.set_domain(kDomain);
  return node;
}

// Adds an attribute that takes the value of the function's attribute `outer`.
void add_reference(onnx::NodeProto& node, const std::string& name, const std::string& outer) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto_AttributeType_INT);
  attribute.set_ref_attr_name(outer);
}

// Adds to FunctionProto.attribute_proto, which ONNX 1.12 does not know.
void add_default(onnx::FunctionProto& function, const std::string& name, int64_t value) {
  onnx::NodeProto holder;
  std::string bytes;
  add_int(holder, name, value).SerializeToString(&bytes);
  add_field(function, 11, bytes);
}

TEST(Functions, AreInlinedTwice) {
  onnx::ModelProto model = model_with_functions();
  auto& twice = add_function(model, "Twice", {"a"}, {"c"});
  add_node(twice, "Relu", {"a"}, {"b"});
  add_node(twice, "Neg", {"b"}, {"c"});
  add_call(*model.mutable_graph(), "Twice", {"x"}, {"t"}).set_name("call");
  add_call(*model.mutable_graph(), "Twice", {"t"}, {"y"}).set_name("call");
  const auto& nodes = parse(model).graph.nodes;
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_EQ(nodes[0].name, "call/Relu_of_b");
  EXPECT_EQ(nodes[0].inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(nodes[0].outputs, std::vector<std::string>{"call/b"});
  EXPECT_EQ(nodes[1].outputs, std::vector<std::string>{"t"});
  EXPECT_EQ(nodes[2].outputs, std::vector<std::string>{"call/b_2"});
  EXPECT_EQ(nodes[3].inputs, nodes[2].outputs);
  EXPECT_EQ(nodes[3].outputs, std::vector<std::string>{"y"});
}

TEST(Functions, MayCallOneAnother) {
  onnx::ModelProto model = model_with_functions();
  auto& outer = add_function(model, "Outer", {"a"}, {"b"});
  add_call(outer, "Inner", {"a"}, {"b"});
  auto& inner = add_function(model, "Inner", {"a"}, {"b"});
  add_node(inner, "Relu", {"a"}, {"b"});
  add_call(*model.mutable_graph(), "Outer", {"x"}, {"y"}).set_name("top");
  const auto& nodes = parse(model).graph.nodes;
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].name, "top/Inner_of_b/Relu_of_b");
}

TEST(Functions, AttributesAreSubstituted) {
  onnx::ModelProto model = model_with_functions();
  auto& function = add_function(model, "F", {"a"}, {"b"});
  auto& node = add_node(function, "Op", {"a"}, {"b"});
  add_reference(node, "given", "p");
  add_reference(node, "defaulted", "q");
  add_reference(node, "absent", "r");
  add_int(node, "own", 4);
  add_default(function, "p", 8);
  add_default(function, "q", 9);
  add_int(add_call(*model.mutable_graph(), "F", {"x"}, {"y"}), "p", 1);
  const Model read = parse(model);
  EXPECT_EQ(int_attribute(read.graph.nodes[0], "given", 0), 1);
  EXPECT_EQ(int_attribute(read.graph.nodes[0], "defaulted", 0), 9);
  EXPECT_EQ(int_attribute(read.graph.nodes[0], "own", 0), 4);
  EXPECT_EQ(find_attribute(read.graph.nodes[0], "absent"), nullptr);
}

TEST(Functions, AttributesOfACallAreUnique) {
  onnx::ModelProto model = model_with_functions();
  add_node(add_function(model, "F", {"a"}, {"b"}), "Relu", {"a"}, {"b"});
  auto& call = add_call(*model.mutable_graph(), "F", {"x"}, {"y"});
  add_int(call, "p", 1);
  add_int(call, "p", 2);
  expect_parse_error(kBad, "attribute \"p\" occurs twice", model);
}

TEST(Functions, InputsAndOutputsMayBeOmittedOrPassedThrough) {
  onnx::ModelProto model = model_with_functions();
  auto& function = add_function(model, "F", {"a", "optional"}, {"b", "unused", "a"});
  add_node(function, "Op", {"a", "optional"}, {"b"});
  add_node(function, "Relu", {"a"}, {"unused"});
  add_call(*model.mutable_graph(), "F", {"x"}, {"t", "", "u"});
  add_node(*model.mutable_graph(), "Add", {"t", "u"}, {"y"});
  const auto& nodes = parse(model).graph.nodes;
  ASSERT_EQ(nodes.size(), 4U);
  EXPECT_EQ(nodes[0].op_type, "Identity");
  EXPECT_EQ(nodes[0].outputs[0], "u");
  EXPECT_EQ(nodes[1].inputs, (std::vector<std::string>{"x", ""}));
}

TEST(Functions, RecursionIsRefused) {
  onnx::ModelProto model = model_with_functions();
  add_call(add_function(model, "A", {"a"}, {"b"}), "B", {"a"}, {"b"});
  add_call(add_function(model, "B", {"a"}, {"b"}), "A", {"a"}, {"b"});
  add_call(*model.mutable_graph(), "A", {"x"}, {"y"});
  expect_parse_error(kBad, "calls itself", model);
}

// Each of 40 functions calls the next one twice.
TEST(Functions, ExponentialGrowthIsRefused) {
  onnx::ModelProto model = model_with_functions();
  for (int i = 0; i < 40; ++i) {
    auto& function = add_function(model, fmt::format("F{}", i), {"a"}, {"c"});
    add_call(function, fmt::format("F{}", i + 1), {"a"}, {"b"}).set_name("n");
    add_call(function, fmt::format("F{}", i + 1), {"b"}, {"c"}).set_name("m");
  }
  add_node(add_function(model, "F40", {"a"}, {"b"}), "Relu", {"a"}, {"b"});
  add_call(*model.mutable_graph(), "F0", {"x"}, {"y"});
  expect_parse_error(ErrorCode::limit, "inlining", model);
}

// Returns how much the largest resident size grows while the model is refused.
size_t growth_at_refusal(const onnx::ModelProto& model) {
  const uint64_t before = peak_rss_bytes();
  expect_parse_error(ErrorCode::limit, "inlining", model);
  return peak_rss_bytes() - before;
}

// Calls "F" often enough to make of a megabyte more than is allowed, if each call copies it.
void call_often(onnx::ModelProto& model) {
  for (int i = 0; i < 2000; ++i)
    add_call(*model.mutable_graph(), "F", {"x"}, {i == 0 ? "y" : fmt::format("y{}", i)});
}

TEST(Functions, GrowthInBytesIsRefused) {
  constexpr size_t kMostGrowth = size_t{200} << 20;
  onnx::ModelProto numbers = model_with_functions();
  add_ints(add_node(add_function(numbers, "F", {"a"}, {"b"}), "Relu", {"a"}, {"b"}), "many",
           std::vector<int64_t>(1 << 20, 1));
  call_often(numbers);
  EXPECT_LT(growth_at_refusal(numbers), kMostGrowth);

  onnx::ModelProto names = model_with_functions();
  add_node(add_function(names, "F", {"a"}, {"b"}), "Relu", {"a"}, {"b"})
      .set_name(std::string(1 << 20, 'n'));
  call_often(names);
  EXPECT_LT(growth_at_refusal(names), kMostGrowth);

  // Only the call is large: every node of the body copies its name.
  onnx::ModelProto prefix = model_with_functions();
  auto& function = add_function(prefix, "F", {"a"}, {"b0"});
  for (int i = 0; i < 2000; ++i) add_node(function, "Relu", {"a"}, {fmt::format("b{}", i)});
  add_call(*prefix.mutable_graph(), "F", {"x"}, {"y"}).set_name(std::string(1 << 20, 'n'));
  EXPECT_LT(growth_at_refusal(prefix), kMostGrowth);
}

// Every attribute of the body may be one of the call's.
TEST(Functions, ManyAttributesTakeLinearTime) {
  constexpr int kAttributes = 20'000;
  onnx::ModelProto model = model_with_functions();
  auto& node = add_node(add_function(model, "F", {"a"}, {"b"}), "Relu", {"a"}, {"b"});
  auto& call = add_call(*model.mutable_graph(), "F", {"x"}, {"y"});
  const std::string long_name(1 << 20, 'n');
  call.set_name(long_name);
  for (int i = 0; i < kAttributes; ++i) {
    add_reference(node, fmt::format("inner{}", i), fmt::format("outer{}", i));
    add_int(call, fmt::format("outer{}", i), i);
  }
  const std::clock_t start = std::clock();
  EXPECT_EQ(parse(model).graph.nodes[0].attributes.size(), size_t{kAttributes});
  EXPECT_LT(std::clock() - start, 2 * CLOCKS_PER_SEC);
}

TEST(Functions, DeepCallsAreRefused) {
  onnx::ModelProto model = model_with_functions();
  for (int i = 0; i < 1000; ++i)
    add_call(add_function(model, fmt::format("F{}", i), {"a"}, {"b"}), fmt::format("F{}", i + 1),
             {"a"}, {"b"});
  add_call(*model.mutable_graph(), "F0", {"x"}, {"y"});
  expect_parse_error(ErrorCode::limit, "deeper than", model);
}

TEST(Functions, WrongBodiesAreRefused) {
  onnx::ModelProto model = model_with_functions();
  auto& function = add_function(model, "F", {"a"}, {"b"});
  add_call(*model.mutable_graph(), "F", {"x"}, {"y"});
  expect_parse_error(kBad, "output \"b\" of function \"F\" is made by no node", model);
  auto& node = add_node(function, "Relu", {"elsewhere"}, {"b"});
  expect_parse_error(kBad, "\"elsewhere\"", model);
  node.set_input(0, "a");
  EXPECT_NO_THROW(parse(model));
  add_node(function, "Relu", {"a"}, {"b"});
  expect_parse_error(kBad, "made more than once", model);
  function.mutable_node()->RemoveLast();
  function.mutable_opset_import(0)->set_version(18);
  expect_parse_error(ErrorCode::unsupported, "version 18", model);
  function.mutable_opset_import(0)->set_version(21);
  model.mutable_graph()->mutable_node(0)->add_input("x");
  expect_parse_error(kBad, "more inputs or outputs", model);
}

}  // namespace
}  // namespace fp8q::test
