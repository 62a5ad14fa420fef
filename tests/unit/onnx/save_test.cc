#include "onnx/save.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "graph/function.h"
#include "onnx/load.h"
#include "tests/support/paths.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// Makes a model with every kind of attribute, every element type and values of all sorts.
Model rich_model() {
  Model model = parse(tiny_model());
  Node& node = model.graph.nodes[0];
  node.attributes["int"] = int64_t{-3};
  node.attributes["float"] = std::numeric_limits<float>::quiet_NaN();
  node.attributes["string"] = std::string("a\0b\xFF", 4);
  node.attributes["tensor"] = Tensor::of<int64_t>({2}, {1, 2});
  node.attributes["ints"] = std::vector<int64_t>{1, -1};
  node.attributes["no_ints"] = std::vector<int64_t>{};
  node.attributes["floats"] = std::vector<float>{0.5F, -0.0F};
  node.attributes["strings"] = std::vector<std::string>{"", "s"};
#define FP8Q_DTYPE(id, ...)                                        \
  model.graph.initializers["of_" #id] = Tensor(DType::id, {2, 1}); \
  model.graph.initializers["no_" #id] = Tensor(DType::id, {0});    \
  model.graph.value_info.push_back({"value_" #id, DType::id, true, {{-1, "batch"}, {}, {3, ""}}});
#include "tensor/dtype.def"
#undef FP8Q_DTYPE
  model.graph.value_info.push_back({"unranked", DType::f32, false, {}});
  model.graph.doc = "documentation";
  model.domain = "org.example";
  model.model_version = 7;
  model.opsets["com.example"] = 2;
  return model;
}

TEST(Save, ReadsBackTheSame) {
  const Model model = rich_model();
  EXPECT_EQ(first_difference(model, parse_model(serialize_model(model), "bytes")), std::nullopt);
}

TEST(Save, BytesDependOnlyOnTheModel) {
  const std::string bytes = serialize_model(rich_model());
  EXPECT_EQ(bytes, serialize_model(rich_model()));
  EXPECT_EQ(bytes, serialize_model(parse_model(bytes, "bytes")));
}

// The model has two calls of a function of two nodes, between nodes of its own.
TEST(Save, CallsAreWrittenAsCallsAndReadAsNodes) {
  Model model = parse(tiny_model());
  const auto node = [](const std::string& op_type, const std::string& from, const std::string& to) {
    Node n;
    n.op_type = op_type;
    n.name = to;
    n.inputs = {from};
    n.outputs = {to};
    return n;
  };
  LocalFunction function{
      "example", "Both", {"a"}, {"c"}, {node("Neg", "a", "b"), node("Abs", "b", "c")}, {}};
  FreshNames names(model.graph);
  const std::string end = model.graph.nodes.back().outputs[0];
  for (const auto& [from, to] : {std::pair{end, "first"}, {"first", "second"}}) {
    Node call = node("Both", from, to);
    call.domain = "example";
    call.name = std::string(to) + "/call";
    for (Node& n : expand(function, call, names)) model.graph.nodes.push_back(std::move(n));
    function.calls.push_back(std::move(call));
  }
  model.functions = {function};
  model.opsets["example"] = 1;

  const std::string bytes = serialize_model(model);
  const Model read = parse_model(bytes, "bytes");
  EXPECT_EQ(first_difference(model, read), std::nullopt);
  EXPECT_TRUE(read.functions.empty());
  EXPECT_EQ(read.graph.nodes.back().name, "second/call/c");
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(bytes));
  ASSERT_EQ(proto.functions_size(), 1);
  EXPECT_EQ(proto.functions(0).node_size(), 2);
  EXPECT_EQ(proto.functions(0).opset_import(0).version(), model.opset());
  EXPECT_EQ(proto.graph().node_size(), 4 + 2);
  EXPECT_EQ(proto.graph().node(5).op_type(), "Both");
  EXPECT_EQ(proto.graph().node(5).input(0), "first");
}

TEST(Save, UnknownFieldsSurvive) {
  onnx::ModelProto proto = tiny_model();
  proto.mutable_unknown_fields()->AddLengthDelimited(100, "model");
  proto.mutable_graph()->mutable_unknown_fields()->AddLengthDelimited(101, "graph");
  proto.mutable_graph()->mutable_node(0)->mutable_unknown_fields()->AddLengthDelimited(102, "node");
  proto.mutable_graph()->add_quantization_annotation()->set_tensor_name("W");
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(serialize_model(parse(proto))));
  EXPECT_EQ(written.unknown_fields().field(0).length_delimited(), "model");
  EXPECT_EQ(written.graph().unknown_fields().field(0).length_delimited(), "graph");
  EXPECT_EQ(written.graph().node(0).unknown_fields().field(0).length_delimited(), "node");
  EXPECT_EQ(written.graph().quantization_annotation(0).tensor_name(), "W");
  EXPECT_EQ(written.graph().node_size(), 4);
}

// Some versions of the ONNX library know these fields, others do not.
TEST(Save, FieldsOfNewerVersionsSurvive) {
  onnx::StringStringEntryProto entry;
  entry.set_key("a key");
  entry.set_value("a value");
  const std::string bytes = entry.SerializeAsString();
  onnx::ModelProto proto = tiny_model();
  add_field(*proto.mutable_graph(), 16, bytes);                  // metadata_props
  add_field(*proto.mutable_graph()->mutable_node(0), 9, bytes);  // metadata_props
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(serialize_model(parse(proto))));
  EXPECT_NE(written.graph().node(0).SerializeAsString().find(bytes), std::string::npos);
  written.mutable_graph()->clear_node();
  EXPECT_NE(written.graph().SerializeAsString().find(bytes), std::string::npos);
}

TEST(Save, OldModelsListInitializersAsInputs) {
  onnx::ModelProto proto = tiny_model(7);
  proto.set_ir_version(3);
  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(serialize_model(parse(proto))));
  EXPECT_EQ(written.graph().input_size(), 3);
}

TEST(Save, WritesOneFile) {
  const TemporaryFolder folder;
  const Model model = rich_model();
  save_model(model, folder.path() / "out.onnx");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"out.onnx"});
  EXPECT_EQ(first_difference(model, load_model(folder.path() / "out.onnx")), std::nullopt);
}

TEST(Save, LargeModelsGetADataFile) {
  const TemporaryFolder folder;
  Model model = rich_model();
  model.graph.initializers["large"] = Tensor(DType::e4m3, {100, 100});
  model.graph.initializers["also large"] = Tensor(DType::f32, {1025});
  const fs::path path = folder.path() / "out.onnx";
  const ModelFiles files = save_model(model, path, {.max_proto_bytes = 8000});
  EXPECT_EQ(files.facts(path).sha256, load_model_with_files(path).files.facts(path).sha256);
  const auto names = names_in(folder.path());
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0].size(), std::string("out.0123456789ab.data").size());
  EXPECT_EQ(fs::file_size(folder.path() / names[0]), 8192U + 10000U);  // the second page-aligned
  EXPECT_EQ(first_difference(model, load_model(path)), std::nullopt);

  onnx::ModelProto written;
  ASSERT_TRUE(written.ParseFromString(read_file(path, 1 << 20)));
  for (const auto& tensor : written.graph().initializer()) {
    const bool external = tensor.data_location() == onnx::TensorProto_DataLocation_EXTERNAL;
    EXPECT_EQ(external, tensor.name().find("large") != std::string::npos) << tensor.name();
  }

  // The same content gets the same names, and other content gets other names.
  save_model(model, path, {.max_proto_bytes = 8000});
  EXPECT_EQ(names_in(folder.path()), names);
  model.graph.initializers["large"].mutable_bytes()[0] = std::byte{1};
  save_model(model, path, {.max_proto_bytes = 8000});
  EXPECT_EQ(names_in(folder.path()).size(), 3U);
}

TEST(Save, NothingIsLeftWhenTheModelIsWrong) {
  const TemporaryFolder folder;
  const fs::path path = folder.write("out.onnx", "old content");
  Model model = rich_model();
  model.graph.initializers["large"] = Tensor(DType::f32, {1000});
  model.graph.nodes[0].inputs[0] = "nowhere";
  for (const uint64_t limit : {uint64_t{1} << 30, uint64_t{100}})
    expect_error(ErrorCode::internal, "does not read back",
                 [&] { save_model(model, path, {.max_proto_bytes = limit}); });
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"out.onnx"});
  EXPECT_EQ(read_file(path, 100), "old content");
  expect_error(ErrorCode::file, "absent",
               [&] { save_model(rich_model(), folder.path() / "absent/out.onnx"); });
}

TEST(FirstDifference, SeesEveryPart) {
  const Model model = rich_model();
  const auto differs = [&](const std::string& part, auto change) {
    Model other = rich_model();
    change(other);
    const auto difference = first_difference(model, other);
    ASSERT_TRUE(difference.has_value()) << part;
    EXPECT_NE(difference->find(part), std::string::npos) << *difference;
  };
  differs("IR", [](Model& m) { ++m.ir_version; });
  differs("operator sets", [](Model& m) { m.opsets[""] = 20; });
  differs("metadata", [](Model& m) { m.metadata["k"] = "v"; });
  differs("\"of_f32\"",
          [](Model& m) { m.graph.initializers["of_f32"].mutable_bytes()[0] = std::byte{1}; });
  differs("initializers", [](Model& m) { m.graph.initializers.erase("of_f32"); });
  differs("inputs", [](Model& m) { m.graph.nodes[0].inputs[0] = "other"; });
  differs("attribute \"int\"", [](Model& m) { m.graph.nodes[0].attributes["int"] = int64_t{4}; });
  differs("graph output", [](Model& m) { m.graph.outputs[0].shape[0].value = 5; });
  differs("value", [](Model& m) { m.graph.value_info[0].dtype = DType::f64; });
}

}  // namespace
}  // namespace fp8q::test
