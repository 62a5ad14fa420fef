// Small files that ask for much: each is refused with its exit code, within a second of processor
// time and 256 MB.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "onnx/save.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

constexpr size_t kMostBytes = size_t{256} << 20;
constexpr double kMostSeconds = 1;
constexpr int64_t kHuge = int64_t{1} << 40;

struct Hostile {
  const char* name;
  int exit_code;
  std::function<Model()> make;  // large models are not made before they are needed
};
std::ostream& operator<<(std::ostream& out, const Hostile& hostile) { return out << hostile.name; }

Node node(std::string op_type, std::vector<std::string> inputs, std::string output,
          std::map<std::string, Attribute> attributes = {}) {
  Node n;
  n.op_type = std::move(op_type);
  n.inputs = std::move(inputs);
  n.outputs = {std::move(output)};
  n.attributes = std::move(attributes);
  return n;
}

// Makes a model with one input of token ids, and these nodes and constants beside it.
Model model(std::vector<Node> nodes, std::map<std::string, Tensor> constants) {
  Model m;
  m.ir_version = 10;
  m.opsets[""] = 21;
  m.graph.name = "hostile";
  m.graph.inputs = {{"input_ids", DType::i64, true, {{-1, "b"}, {-1, "s"}}}};
  m.graph.outputs = {{nodes.back().outputs[0], DType::f32, false, {}}};
  m.graph.nodes = std::move(nodes);
  m.graph.initializers = std::move(constants);
  return m;
}

Tensor list(const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

// Makes a large constant of a few bytes.
Node zeros(const std::string& shape, const std::string& output) {
  return node("ConstantOfShape", {shape}, output);
}

Model chain_of_identities(int count) {
  std::vector<Node> nodes = {zeros("n", "v0")};
  for (int i = 0; i < count; ++i)
    nodes.push_back(node("Identity", {"v" + std::to_string(i)}, "v" + std::to_string(i + 1)));
  return model(std::move(nodes), {{"n", list({257, 257})}});
}

Model encoder_without_an_operand() {
  Model m = tiny_encoder({});
  for (Node& n : m.graph.nodes)
    if (n.op_type == "Add") n.inputs.resize(1);
  return m;
}

std::vector<Hostile> hostile_models() {
  const auto of_zeros = [](std::vector<int64_t> shape, std::vector<Node> nodes) {
    nodes.insert(nodes.begin(), zeros("n", "x"));
    return [=] { return model(nodes, {{"n", list(shape)}}); };
  };
  const std::map<std::string, Attribute> ab_cd = {{"equation", std::string("ab,cd->")}};
  return {
      {"AddOfOneInput", 3, encoder_without_an_operand},
      {"LongChain", 8, [] { return chain_of_identities(30'000); }},
      {"ProductsOfMatrices", 8, of_zeros({2800, 2800}, {node("MatMul", {"x", "x"}, "y")})},
      {"ProductsOfVectors", 8, of_zeros({2800, 2800}, {node("Einsum", {"x", "x"}, "y", ab_cd)})},
      {"LargeConstants", 8,
       of_zeros({int64_t{1} << 26}, {node("Neg", {"x"}, "y"), node("Exp", {"y"}, "z")})},
  };
}

// These are allowed, as long as nothing walks over their dimensions. The graph is not one that fp8q
// can feed, which is said with exit code 0 by inspect.
std::vector<Hostile> models_of_nothing() {
  const auto of = [](const Node& only, const std::map<std::string, Tensor>& constants) {
    return [=] { return model({only}, constants); };
  };
  const Tensor nothing(DType::f32, {kHuge, 0}), rows(DType::f32, {kHuge, 1, 0});
  const Tensor batch(DType::f32, {0, 32768, 1}), row(DType::f32, {0, 1, 32768});
  const Tensor scale = Tensor::scalar(1.0f);
  const std::map<std::string, Attribute> axis = {{"axis", int64_t{1}}};
  return {
      {"Softmax", 0, of(node("Softmax", {"x"}, "y"), {{"x", nothing}})},
      {"Gather", 0, of(node("Gather", {"x", "i"}, "y", axis), {{"x", rows}, {"i", list({0})}})},
      {"Quantize", 0, of(node("QuantizeLinear", {"x", "s"}, "y"), {{"x", nothing}, {"s", scale}})},
      {"MatMul", 0, of(node("MatMul", {"a", "b"}, "y"), {{"a", batch}, {"b", row}})},
  };
}

class HostileModels : public testing::TestWithParam<Hostile> {};
const auto name_of = [](const auto& tested) { return std::string(tested.param.name); };
INSTANTIATE_TEST_SUITE_P(Refused, HostileModels, testing::ValuesIn(hostile_models()), name_of);
INSTANTIATE_TEST_SUITE_P(OfNothing, HostileModels, testing::ValuesIn(models_of_nothing()), name_of);

TEST_P(HostileModels, CostLittle) {
  const TemporaryFolder folder;
  folder.write("model.onnx", serialize_model(GetParam().make()));
  const ProcessResult r = run_fp8q({"inspect", "model.onnx"}, {.folder = folder.path()});
  EXPECT_EQ(r.exit_code, GetParam().exit_code) << r.err << r.out;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LE(r.peak_bytes, kMostBytes);
  EXPECT_LE(r.cpu_seconds, kMostSeconds);
#endif
}

}  // namespace
}  // namespace fp8q::test
