// Compares engine and interpreter on the real fine-tuned models in FP32 with logits recorded with
// onnxruntime.
//
// FP8Q_FULL=1 runs every example through the interpreter too. Otherwise a sample runs, to save
// time.

#include <gtest/gtest.h>

#include "tests/differential/model_run.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

struct ExampleCase {
  const char* task;
  const char* exporter;  // "" or "-dynamo"
};

class ExampleModel : public testing::TestWithParam<ExampleCase> {
 protected:
  void SetUp() override {
    const std::string stem = std::string("minilm-l6-") + GetParam().task;
    const auto model_path = example_model(stem + GetParam().exporter) / "model.onnx";
    const auto reference_path = shared_path("models/reference/" + stem + ".npz");
    FP8Q_SKIP_WITHOUT(model_path);
    FP8Q_SKIP_WITHOUT(reference_path);
    model_ = load(model_path);
    ASSERT_TRUE(model_);
    reference_ = read_reference(reference_path);
  }

  void expect_reference(const std::vector<std::vector<float>>& logits,
                        const std::vector<size_t>& examples) const {
    std::vector<std::vector<float>> expected;
    for (const size_t e : examples) expected.push_back(reference_.logits[e]);
    const Agreement agreement = compare(logits, expected);
    EXPECT_EQ(agreement.equal_labels, 1.0);
    EXPECT_LE(agreement.largest, 1e-3);
    RecordProperty("largest_difference", std::to_string(agreement.largest));
    std::cout << examples.size() << " examples, largest difference " << agreement.largest << "\n";
  }

  std::unique_ptr<LoadedModel> model_;
  Reference reference_;
};

TEST_P(ExampleModel, EngineGivesTheReferenceLogits) {
  // Another exporter's file holds the same network.
  const size_t all = reference_.ids.size(), some = std::min<size_t>(all, 300);
  const auto examples = chosen(all, *GetParam().exporter ? some : all);
  expect_reference(engine_logits(*model_, reference_, examples), examples);
}

TEST_P(ExampleModel, InterpreterGivesTheReferenceLogits) {
  const auto examples = chosen(reference_.ids.size(), 24);
  expect_reference(interpreter_logits(*model_, reference_, examples), examples);
}

std::string example_name(const testing::TestParamInfo<ExampleCase>& info) {
  return std::string(info.param.task) + (*info.param.exporter ? "_dynamo" : "_classic");
}

INSTANTIATE_TEST_SUITE_P(All, ExampleModel,
                         testing::Values(ExampleCase{"sst2", ""}, ExampleCase{"sst2", "-dynamo"},
                                         ExampleCase{"mrpc", ""}, ExampleCase{"mrpc", "-dynamo"},
                                         ExampleCase{"stsb", ""}, ExampleCase{"stsb", "-dynamo"}),
                         example_name);

}  // namespace
}  // namespace fp8q::test
