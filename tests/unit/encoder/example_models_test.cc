// Recognizes models as exporters really write them: both exporters of PyTorch, and the demo model
// with its 16-bit weights.
#include <gtest/gtest.h>

#include "encoder/summary.h"
#include "interpreter/interpreter.h"
#include "onnx/load.h"
#include "support/paths.h"
#include "unit/encoder/reference.h"
#include "unit/encoder/variants.h"

namespace fp8q::test {
namespace {

void expect_same_outputs(const Model& model, const Encoder& encoder) {
  const std::vector<int64_t> ids = {101, 2023, 3185, 2003, 6659, 102};
  const std::vector<int64_t> types = {0, 0, 0, 1, 1, 1};
  std::map<std::string, Tensor> inputs;
  for (const auto& input : model.graph.inputs) {
    std::vector<int64_t> values(ids.size(), 1);
    if (input.name == encoder.ids_input) values = ids;
    if (input.name == encoder.token_type_input) values = types;
    inputs.emplace(input.name, Tensor::of<int64_t>({1, 6}, values));
  }
  const auto actual = run_description(encoder, ids, types);
  for (const auto& [name, tensor] : Interpreter(model).run(inputs)) {
    const auto& values = actual.at(name);
    ASSERT_EQ(values.size(), static_cast<size_t>(tensor.size()));
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], tensor.data<float>()[i], 1e-4) << name << "[" << i << "]";
  }
}

class ExampleModels : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Encoder, ExampleModels,
                         testing::Values("minilm-l6-sst2", "minilm-l6-sst2-dynamo",
                                         "minilm-l6-mrpc", "minilm-l6-mrpc-dynamo",
                                         "minilm-l6-stsb", "minilm-l6-stsb-dynamo",
                                         "minilm-l6-squad", "minilm-l6-squad-dynamo"));

TEST_P(ExampleModels, AreRecognized) {
  const auto path = example_model(GetParam()) / "model.onnx";
  FP8Q_SKIP_WITHOUT(path);
  const Model model = load_model(path);
  const Encoder encoder = recognized(model);
  ASSERT_EQ(encoder.layers.size(), 6);
  const EncoderSummary summary = summarize(encoder);
  EXPECT_EQ(summary.hidden, 384);
  EXPECT_EQ(summary.heads, 12);
  EXPECT_EQ(summary.head_size, 32);
  EXPECT_EQ(summary.ffn, 1536);
  EXPECT_EQ(summary.vocabulary, 30522);
  EXPECT_EQ(summary.positions, 512);
  EXPECT_EQ(encoder.ids_input, "input_ids");
  EXPECT_EQ(encoder.mask_input, "attention_mask");
  EXPECT_EQ(encoder.token_type_input, "token_type_ids");
  expect_same_outputs(model, encoder);
}

TEST(DemoModel, IsRecognized) {
  const Model model = load_model(source_dir() / "models/demo-sst2/model.onnx");
  const Encoder encoder = recognized(model);
  ASSERT_EQ(encoder.layers.size(), 4);
  const EncoderSummary summary = summarize(encoder);
  EXPECT_EQ(summary.hidden, 256);
  EXPECT_EQ(summary.heads, 4);
  EXPECT_EQ(summary.positions, 128);
  EXPECT_EQ(encoder.embeddings.word.rows.dtype(), DType::f16);
  EXPECT_EQ(encoder.layers[0].query.weight.dtype(), DType::f16);
  expect_same_outputs(model, encoder);
}

}  // namespace
}  // namespace fp8q::test
