// Weights stay where they are in the file.
#include "onnx/save.h"
#include "tests/support/paths.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

onnx::TensorProto& add_codes(onnx::ModelProto& model, const std::string& name,
                             const std::string& codes) {
  auto& tensor = *model.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto_DataType_INT8);
  tensor.add_dims(static_cast<int64_t>(codes.size()));
  tensor.set_raw_data(codes);
  return tensor;
}

std::string bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes()), tensor.nbytes()};
}

bool stands_in(const Tensor& tensor, std::string_view file) {
  const auto* at = reinterpret_cast<const char*>(tensor.bytes());
  return at >= file.data() && at + tensor.nbytes() <= file.data() + file.size();
}

TEST(Payloads, OfBytesAreNotCopied) {
  const TemporaryFolder folder;
  onnx::ModelProto proto = tiny_model();
  for (const size_t size : {1, 15, 16, 17, 127, 128, 20'000})
    add_codes(proto, "codes" + std::to_string(size), std::string(size, static_cast<char>(size)));
  const auto [model, files] =
      load_model_with_files(folder.write("m.onnx", proto.SerializeAsString()));
  EXPECT_TRUE(files.external.empty());
  for (const size_t size : {1, 15, 16, 17, 127, 128, 20'000}) {
    const Tensor& codes = model.graph.initializers.at("codes" + std::to_string(size));
    EXPECT_EQ(bytes_of(codes), std::string(size, static_cast<char>(size)));
    EXPECT_TRUE(stands_in(codes, files.graph->view()));
  }
}

TEST(Payloads, AreAlignedWhereverTheyStand) {
  const TemporaryFolder folder;
  size_t copied = 0;
  for (const char* name : {"V", "Vx", "Vxy", "Vxyz"}) {  // moves the payload by one byte each
    onnx::ModelProto proto = tiny_model();
    add_weight(proto, name, {40, 50});
    const auto [model, files] =
        load_model_with_files(folder.write("m.onnx", proto.SerializeAsString()));
    const Tensor& w = model.graph.initializers.at(name);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(w.bytes()) % alignof(float), 0U);
    EXPECT_EQ(bytes_of(w), proto.graph().initializer().rbegin()->raw_data());
    if (!stands_in(w, files.graph->view())) ++copied;
  }
  EXPECT_EQ(copied, 3U);
}

TEST(Payloads, OfAttributesAndDefaults) {
  onnx::ModelProto proto = tiny_model();
  auto& value = *add_node(*proto.mutable_graph(), "Constant", {}, {"c"}).add_attribute();
  value.set_name("value");
  value.set_type(onnx::AttributeProto_AttributeType_TENSOR);
  *value.mutable_t() = add_codes(proto, "n", "0123456789abcdef");
  // The same bytes are the default value of an attribute of a function (IR 9, field 11).
  auto& function = *proto.add_functions();
  function.set_name("f");
  function.set_domain("local");
  function.add_output("out");
  *function.add_opset_import() = proto.opset_import(0);
  auto& inside = add_node(function, "Constant", {}, {"out"});
  auto& reference = *inside.add_attribute();
  reference.set_name("value");
  reference.set_ref_attr_name("given");
  reference.set_type(onnx::AttributeProto_AttributeType_TENSOR);
  onnx::AttributeProto given = value;
  given.set_name("given");
  add_field(function, 11, given.SerializeAsString());
  add_node(*proto.mutable_graph(), "f", {}, {"d"}).set_domain("local");
  auto& import = *proto.add_opset_import();
  import.set_domain("local");
  import.set_version(1);
  const Model model = parse(proto);
  size_t found = 0;
  for (const Node& node : model.graph.nodes)
    if (const auto attribute = node.attributes.find("value"); attribute != node.attributes.end()) {
      EXPECT_EQ(bytes_of(std::get<Tensor>(attribute->second)), "0123456789abcdef");
      ++found;
    }
  EXPECT_EQ(found, 2U);
}

TEST(Payloads, OutliveTheirFile) {
  const TemporaryFolder folder;
  onnx::ModelProto proto = tiny_model();
  add_codes(proto, "codes", std::string(50'000, '\x11'));
  const fs::path path = folder.write("m.onnx", proto.SerializeAsString());
  const Model model = load_model(path);
  proto.mutable_graph()->mutable_initializer(2)->set_raw_data(std::string(50'000, '\x22'));
  save_model(parse(proto), path);
  EXPECT_EQ(bytes_of(model.graph.initializers.at("codes")), std::string(50'000, '\x11'));
  const Model copy = model;
  fs::remove(path);
  EXPECT_EQ(bytes_of(copy.graph.initializers.at("codes")), std::string(50'000, '\x11'));
}

}  // namespace
}  // namespace fp8q::test
