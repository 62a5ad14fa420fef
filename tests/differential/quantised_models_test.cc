// Two executions, one meaning: the engine's fused low-precision kernels against the interpreter's
// literal Q/DQ, on converted fine-tuned models.
//
// Both compute the same codes from the same values, but sum in different order (FP32 chains against
// double). A value that lands within that difference of a rounding midpoint takes the neighbouring
// code, which later layers amplify; hence a bound on the NMSE instead of a tolerance per logit.

#include <gtest/gtest.h>

#include "fp8q/calibrate.h"
#include "fp8q/convert.h"
#include "tests/differential/model_run.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

namespace fs = std::filesystem;

constexpr double kLargestNmse = 5e-4;
constexpr double kSmallestEqualLabels = 0.99;

struct Case {
  const char* task;
  const char* exporter;
  const char* recipe;
};

class QuantisedModel : public testing::TestWithParam<Case> {};

TEST_P(QuantisedModel, EngineAgreesWithTheInterpreter) {
  const auto [task, exporter, recipe] = GetParam();
  const std::string stem = std::string("minilm-l6-") + task;
  const fs::path source = example_model(stem + exporter);
  const fs::path reference_path = shared_path("models/reference/" + stem + ".npz");
  FP8Q_SKIP_WITHOUT(source);
  FP8Q_SKIP_WITHOUT(reference_path);
  FP8Q_SKIP_WITHOUT(shared_path("data/glue"));

  const TemporaryFolder folder;
  const fs::path statistics = folder.path() / "statistics.json";
  const fs::path converted = folder.path() / "model.onnx";
  calibrate({.location = {.model = source},
             .output = statistics,
             .data = shared_path("data/glue"),
             .task = task,
             .examples = 64});
  convert({.model = source, .statistics = statistics, .output = converted, .recipe = recipe});

  const auto model = load(converted);
  ASSERT_TRUE(model);
  const Reference reference = read_reference(reference_path);
  const auto examples = chosen(reference.ids.size(), 40);
  const Agreement agreement = compare(engine_logits(*model, reference, examples),
                                      interpreter_logits(*model, reference, examples));
  std::cout << examples.size() << " examples, equal labels " << agreement.equal_labels << ", NMSE "
            << agreement.nmse << ", largest difference " << agreement.largest << "\n";
  EXPECT_GE(agreement.equal_labels, kSmallestEqualLabels);
  EXPECT_LE(agreement.nmse, kLargestNmse);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  return std::string(info.param.task) + (*info.param.exporter ? "_dynamo_" : "_classic_") +
         info.param.recipe;
}

INSTANTIATE_TEST_SUITE_P(All, QuantisedModel,
                         testing::Values(Case{"sst2", "", "e4m3"}, Case{"sst2", "-dynamo", "e4m3"},
                                         Case{"sst2", "", "e5m2"}, Case{"sst2", "", "int8"},
                                         Case{"mrpc", "", "e4m3"}, Case{"mrpc", "-dynamo", "int8"},
                                         Case{"stsb", "", "e4m3"}, Case{"stsb", "", "int8"}),
                         case_name);

}  // namespace
}  // namespace fp8q::test
