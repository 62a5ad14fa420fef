// Runs SQuAD on the real fine-tuned model in FP32. Windows, logits, answers and scores are compared
// with those recorded with onnxruntime and the reference decoding.
//
// FP8Q_FULL=1 runs every window through the engine. Otherwise a sample runs, to save time.

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "evaluate/score.h"
#include "evaluate/span_evaluator.h"
#include "tasks/task_data.h"
#include "tests/differential/model_run.h"
#include "tests/support/npz.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

namespace fs = std::filesystem;

// The reference has windows of 256 tokens, which share 96.
const EvaluatorSettings kSettings{.windows = {.overlap = 96}};
constexpr size_t kMaxLength = 256;

class Squad : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const fs::path folder = example_model(std::string("minilm-l6-squad") + GetParam());
    const fs::path recorded = shared_path("models/reference/minilm-l6-squad.npz");
    const fs::path data = shared_path("data/squad/dev.json");
    FP8Q_SKIP_WITHOUT(folder / "model.onnx");
    FP8Q_SKIP_WITHOUT(recorded);
    FP8Q_SKIP_WITHOUT(data);
    model_path_ = folder / "model.onnx";
    const auto arrays = read_npz(recorded);
    const auto integers = [&](const char* name) { return arrays.at(name).as<int32_t>(); };
    ids_ = integers("input_ids");
    types_ = integers("token_type_ids");
    offsets_ = integers("offsets");
    owners_ = integers("example");
    characters_ = integers("char_offsets");
    start_ = arrays.at("start_logits").as<float>();
    end_ = arrays.at("end_logits").as<float>();
    data_ = load_dataset(require_task("squad"), {.data = data});
    evaluator_ = make_evaluator(require_task("squad"), data_.examples, kSettings);
    sequences_ = evaluator_->sequences(Tokenizer::load(folder / "tokenizer.json"), kMaxLength);
  }

  size_t begin(size_t window) const { return static_cast<size_t>(offsets_[window]); }
  size_t end(size_t window) const { return static_cast<size_t>(offsets_[window + 1]); }
  std::vector<float> part(const std::vector<float>& values, size_t window) const {
    return {values.begin() + offsets_[window], values.begin() + offsets_[window + 1]};
  }

  fs::path model_path_;
  std::vector<int32_t> ids_, types_, offsets_, owners_, characters_;
  std::vector<float> start_, end_;
  Dataset data_;
  std::unique_ptr<Evaluator> evaluator_;
  Sequences sequences_;
};

TEST_P(Squad, WindowsAreTheReferences) {
  ASSERT_EQ(sequences_.encodings.size() + 1, offsets_.size());
  for (size_t e = 0; e < data_.examples.size(); ++e)
    for (size_t w = sequences_.first[e]; w < sequences_.first[e + 1]; ++w)
      ASSERT_EQ(owners_[w], static_cast<int32_t>(e));
  for (size_t w = 0; w < sequences_.encodings.size(); ++w) {
    const Encoding& window = sequences_.encodings[w];
    ASSERT_EQ(window.ids.size(), end(w) - begin(w)) << "window " << w;
    for (size_t t = 0; t < window.ids.size(); ++t) {
      const size_t at = begin(w) + t;
      ASSERT_EQ(window.ids[t], ids_[at]) << "window " << w << " token " << t;
      ASSERT_EQ(window.type_ids[t], types_[at]) << "window " << w << " token " << t;
      ASSERT_EQ(static_cast<int32_t>(window.offsets[t].first), characters_[2 * at]);
      ASSERT_EQ(static_cast<int32_t>(window.offsets[t].second), characters_[2 * at + 1]);
    }
  }
}

TEST_P(Squad, DecodingGivesTheReferenceAnswersAndScores) {
  RunResult run;
  run.outputs = {{"start_logits", true, 1}, {"end_logits", true, 1}};
  for (size_t w = 0; w + 1 < offsets_.size(); ++w)
    run.examples.push_back({part(start_, w), part(end_, w)});
  const Scored scored = score_answers(*evaluator_, data_.examples.size(),
                                      evaluator_->answers(sequences_, run, {}), 1);
  std::ifstream file(shared_path("models/reference/minilm-l6-squad.predictions.json"));
  const auto expected = nlohmann::json::parse(file);
  ASSERT_EQ(expected.size(), data_.examples.size());
  for (size_t e = 0; e < data_.examples.size(); ++e)
    EXPECT_EQ(scored.answers.texts[e], expected.at(data_.examples[e].id).get<std::string>());
  // The published table has 116 of 296 exactly right, and F1 50.05 %.
  EXPECT_DOUBLE_EQ(scored.score.metrics[0].second, 116.0 / 296);
  EXPECT_NEAR(scored.score.score, 50.05, 0.005);
}

TEST_P(Squad, EngineGivesTheReferenceLogits) {
  const auto model = load(model_path_);
  ASSERT_TRUE(model);
  const auto engine = make_cpu_engine(model->encoder, ComputeType::automatic);
  const auto windows = chosen(sequences_.encodings.size(), 24);
  std::vector<Encoding> encodings;
  for (const size_t w : windows) encodings.push_back(sequences_.encodings[w]);
  const RunResult run = run_examples(*engine, encodings, {});
  const SpanOutputs outputs(run.outputs);
  double largest = 0;
  for (size_t i = 0; i < windows.size(); ++i) {
    const SpanOutputs::Logits logits = outputs.of(run.examples[i]);
    const auto compare_with = [&](const std::vector<float>& actual, const std::vector<float>& all) {
      const std::vector<float> expected = part(all, windows[i]);
      ASSERT_EQ(actual.size(), expected.size());
      for (size_t t = 0; t < actual.size(); ++t)
        largest = std::max(largest, std::abs(double{actual[t]} - double{expected[t]}));
    };
    compare_with(logits.start, start_);
    compare_with(logits.end, end_);
  }
  std::cout << windows.size() << " windows, largest difference " << largest << "\n";
  EXPECT_LE(largest, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(All, Squad, testing::Values("", "-dynamo"), [](const auto& test) {
  return std::string(*test.param ? "dynamo" : "classic");
});

}  // namespace
}  // namespace fp8q::test
