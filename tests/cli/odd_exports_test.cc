// Takes exports that are not an FP32 encoder of plain operators through the commands: in 16 bits,
// with the operator Attention, with weights stored as codes, of other structure. The models are
// tiny and random; what counts is what the commands do with them.

#include <gmock/gmock.h>

#include <algorithm>

#include "onnx/save.h"
#include "tests/cli/demo_folder.h"
#include "tests/unit/encoder/tiny_encoder.h"

namespace fp8q::test {
namespace {

using Facts = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

// Exporters name the inputs; the interpreter goes by these names.
void name_inputs(Model& model) {
  const char* names[] = {"input_ids", "attention_mask", "token_type_ids"};
  for (size_t i = 0; i < model.graph.inputs.size(); ++i) {
    const std::string old = std::exchange(model.graph.inputs[i].name, names[i]);
    for (Node& node : model.graph.nodes)
      std::ranges::replace(node.inputs, old, std::string(names[i]));
  }
}

class OddExports : public DemoFolder {
 protected:
  void save(Style style) const {
    style.vocabulary = 8192;  // the tokenizer's
    style.labels = 2;
    Model model = tiny_encoder(style);
    name_inputs(model);
    save(model);
  }
  void save(const Model& model) const { save_model(model, folder() / "model.onnx"); }

  // Runs the main job and returns the conversion's facts.
  Facts convert_and_score() const {
    ok({"calibrate", "model.onnx", "--examples", "16"});
    const Facts conversion = ok_json({"convert", "model.onnx"});
    const Facts scores = ok_json({"eval", "model.e4m3.onnx", "--task", "sst2"});
    EXPECT_THAT(scores["engine"].dump(), testing::Not(HasSubstr("interpreter")));
    return conversion;
  }
  static size_t quantized(const Facts& conversion) {
    return static_cast<size_t>(std::ranges::count_if(
        conversion["sites"], [](const Facts& s) { return s["format"] != "float"; }));
  }
};

TEST_F(OddExports, SixteenBits) {
  for (const DType type : {DType::f16, DType::bf16}) {
    save(Style{.opset = 20, .norm = NormStyle::fused, .gelu = GeluStyle::fused, .type = type});
    EXPECT_EQ(ok_json({"inspect", "model.onnx"})["encoder"], true);
    EXPECT_EQ(quantized(convert_and_score()), 2u * 14);
    fs::remove(folder() / "model.calib.json");
  }
}

TEST_F(OddExports, AttentionAsOneOperator) {
  save(Style{.opset = 23, .attention = AttentionStyle::op_heads_aside});
  EXPECT_EQ(quantized(convert_and_score()), 2u * 14);
}

TEST_F(OddExports, WeightsStoredAsCodes) {
  save(Style{.linear = LinearStyle::cast_unsigned_codes});
  const Facts facts = ok_json({"inspect", "model.onnx"});
  EXPECT_THAT(facts["quantization"].dump(), HasSubstr("stores its weights as 8-bit codes"));
  EXPECT_EQ(facts["encoder"], true);
  for (const char* command : {"calibrate", "convert"})
    EXPECT_THAT(fails({command, "model.onnx"}, 4),
                AllOf(HasSubstr("already quantized"), HasSubstr("start from the float model")));
  const Facts scores = ok_json({"eval", "model.onnx", "--task", "sst2"});
  EXPECT_EQ(scores["format"], "quantized");
}

TEST_F(OddExports, OtherStructureIsQuantizedWithoutItsHead) {
  save(Style{.pre_norm = true});
  ok({"calibrate", "model.onnx", "--random-data", "--examples", "4"});
  const auto heads = [&](const std::vector<std::string>& options, size_t expected) {
    std::vector<std::string> arguments = {"convert", "model.onnx", "--force"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Facts conversion = ok_json(arguments);
    EXPECT_EQ(conversion["notes"].dump().find("taken for the head") == std::string::npos,
              expected != 0);
    // Six linear layers and the product with probabilities in each layer.
    EXPECT_EQ(quantized(conversion) - expected, 2u * (6 + 4 + 2)) << conversion["sites"];
  };
  heads({}, 0);
  heads({"--quantize-head"}, 4);
}

TEST_F(OddExports, WhatConvertRefusesIsNotCalibrated) {
  Model model = tiny_encoder({.vocabulary = 8192, .labels = 2});
  name_inputs(model);
  std::vector<Node> nodes;
  for (Node& node : model.graph.nodes) {
    if (node.op_type == "MatMul" && model.graph.initializers.contains(node.inputs[1])) {
      const std::string computed = node.inputs[1] + "/computed";
      nodes.push_back({.op_type = "Exp", .inputs = {node.inputs[1]}, .outputs = {computed}});
      node.inputs[1] = computed;
    }
    nodes.push_back(std::move(node));
  }
  model.graph.nodes = std::move(nodes);
  save(model);
  const std::string refused = fails({"calibrate", "model.onnx"}, 4);
  EXPECT_THAT(refused, AllOf(HasSubstr("matrix products with a weight"), HasSubstr("is computed")));
  EXPECT_FALSE(fs::exists(folder() / "model.calib.json"));
  EXPECT_EQ(fails({"convert", "model.onnx"}, 4), refused);
  EXPECT_FALSE(fs::exists(folder() / "model.e4m3.onnx"));
}

// Nothing runs a graph whose inputs are numbers, but its weights can be quantized.
TEST_F(OddExports, GraphsThatNothingRuns) {
  Model model;
  model.ir_version = 8;
  model.opsets[""] = 17;
  model.graph.inputs = {{"x", DType::f32, true, {{-1, "n"}, {8, ""}}}};
  model.graph.initializers["w"] = Tensor::of<float>({8, 4}, std::vector<float>(32, 0.5f));
  model.graph.nodes = {{.op_type = "MatMul", .inputs = {"x", "w"}, .outputs = {"y"}}};
  model.graph.outputs = {{"y", DType::f32, false, {}}};
  save(model);
  const Facts facts = ok_json({"inspect", "model.onnx"});
  EXPECT_EQ(facts["engine"], "none");
  EXPECT_THAT(facts["notes"].dump(), HasSubstr("is not understood"));
  EXPECT_EQ(quantized(ok_json({"convert", "model.onnx", "--format", "int8-dynamic"})), 2u);
}

// A product of constants is a constant, which is no Site and needs no comparison.
TEST_F(OddExports, AModelWithProductsOfConstantsEqualsItself) {
  Model model = tiny_encoder({.vocabulary = 8192, .labels = 2, .pre_norm = true});
  name_inputs(model);
  const auto first = std::ranges::find_if(model.graph.nodes, [&](const Node& node) {
    return node.op_type == "MatMul" && model.graph.initializers.contains(node.inputs[1]);
  });
  const int64_t rows = model.graph.initializers.at(first->inputs[1]).dim(0);
  Tensor diagonal(DType::f32, {rows, rows});
  for (int64_t i = 0; i < rows; ++i)
    diagonal.mutable_data<float>()[static_cast<size_t>(i * (rows + 1))] = 2;
  model.graph.initializers["diagonal"] = diagonal;
  Node product{
      .op_type = "MatMul", .inputs = {"diagonal", first->inputs[1]}, .outputs = {"product"}};
  first->inputs[1] = "product";
  model.graph.nodes.insert(first, std::move(product));
  save(model);
  const Facts r = ok_json({"compare", "model.onnx", "model.onnx", "--examples", "4"});
  for (const Facts& s : r["sites"]) EXPECT_EQ(s["max_error"], 0) << s;
  EXPECT_EQ(r["outputs"][0]["nmse"], 0);
}

}  // namespace
}  // namespace fp8q::test
