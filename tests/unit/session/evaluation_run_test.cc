// Runs models on the examples of a task, whole and in parts, beside their baselines.
#include "session/evaluation_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/file_facts.h"
#include "base/hash.h"
#include "evaluate/evaluation_score.h"
#include "onnx/save.h"
#include "quantize/rewrite.h"
#include "study/plan_maker.h"
#include "tests/support/errors.h"
#include "tests/unit/session/tiny_bundle.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Provides a float model, its converted form beside it, and five sentences.
class EvaluationRun : public testing::Test {
 protected:
  EvaluationRun() : float_(folder() / "model.onnx"), converted_(folder() / "model.int8.onnx") {
    upgrade_for_conversion(bundle_);
    save_model(bundle_.model, float_);
    PlanMaker maker({bundle_.model, bundle_.sites, &*bundle_.encoder, nullptr});
    Plan plan = maker.plan(maker.request(*recipe_named("int8-dynamic"), {}, {}));
    plan.source = {"1", "model.onnx", facts_of(float_).sha256, 1, ""};
    save_model(quantize_model(bundle_.model, bundle_.sites, plan), converted_);
    bundle_.files.write(
        "dev.tsv", "sentence\tlabel\nwaa\t0\nwab wac\t1\nwad waa\t0\nwae wag waa\t1\nwah\t0\n");
  }
  const fs::path& folder() const { return bundle_.files.path(); }
  EvaluateOptions options(std::vector<fs::path> models) const {
    return {.models = std::move(models),
            .task = {.name = "sst2", .data = folder() / "dev.tsv", .max_length = 64},
            .execution = {.device = "cpu", .batch = 2}};
  }

  TinyBundle bundle_;
  fs::path float_, converted_;
};

TEST_F(EvaluationRun, AConvertedModelRunsBesideItsSource) {
  const Evaluation e = run_evaluation(options({converted_, float_}), nullptr);
  EXPECT_TRUE(e.part.whole());
  EXPECT_THAT(e.examples, SizeIs(5));
  ASSERT_THAT(e.models, SizeIs(2));
  ASSERT_THAT(e.baselines, SizeIs(1));
  EXPECT_EQ(e.models[0].baseline, 0u);
  EXPECT_FALSE(e.models[1].baseline) << "the source is no model's conversion";
  EXPECT_EQ(e.baselines[0].answers.logits, e.models[1].run.answers.logits);
  EXPECT_EQ(e.models[0].run.format, "int8-dynamic");
  EXPECT_EQ(e.models[1].run.format, "fp32");
  EXPECT_EQ(e.models[0].run.tokens, 19u);
  EXPECT_THAT(e.models[0].run.rounding, testing::Not(IsEmpty()));
  EXPECT_EQ(e.models[0].execution.device, "cpu");
  EXPECT_EQ(e.models[0].run.device(), "cpu");
  EXPECT_EQ(e.models[0].execution.description, e.models[0].run.engine);
  EXPECT_THAT(e.models[0].notes, IsEmpty());
  const std::vector<EvaluateResult> results = score_evaluation(e);
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_TRUE(results[0].difference);
  EXPECT_FALSE(results[1].difference);
}

TEST_F(EvaluationRun, PartsAppendToTheWhole) {
  const Evaluation whole = run_evaluation(options({converted_}), nullptr);
  Evaluation joined;
  for (const size_t shard : {1, 2, 3}) {
    EvaluateOptions part = options({converted_});
    part.shard = shard;
    part.shards = 3;
    const Evaluation e = run_evaluation(part, nullptr);
    EXPECT_EQ(difference(whole, e), "");
    if (shard == 1) joined = e;
    else joined.append(e);
  }
  EXPECT_EQ(joined.part, whole.part);
  EXPECT_EQ(joined.models[0].run.answers.logits, whole.models[0].run.answers.logits);
  EXPECT_EQ(joined.baselines[0].answers.logits, whole.baselines[0].answers.logits);
  EXPECT_EQ(joined.models[0].run.tokens, whole.models[0].run.tokens);
  for (size_t s = 0; s < whole.models[0].run.rounding.size(); ++s)
    EXPECT_EQ(joined.models[0].run.rounding[s].counts, whole.models[0].run.rounding[s].counts);
}

TEST_F(EvaluationRun, ASourceThatChangedIsNoBaseline) {
  bundle_.model.producer_name = "another";
  save_model(bundle_.model, float_);
  const Evaluation e = run_evaluation(options({converted_}), nullptr);
  EXPECT_FALSE(e.models[0].baseline);
  EXPECT_THAT(e.models[0].notes,
              ElementsAre(HasSubstr("is not beside it any more or has changed")));
  EvaluateOptions given = options({converted_});
  given.baseline = float_;
  EXPECT_EQ(run_evaluation(given, nullptr).models[0].baseline, 0u);
  given.use_baseline = false;
  EXPECT_THAT(run_evaluation(given, nullptr).baselines, IsEmpty());
}

TEST_F(EvaluationRun, ASourceThatIsNoModelIsNoBaseline) {
  bundle_.files.write("model.onnx", "not a model");
  const Evaluation e = run_evaluation(options({converted_}), nullptr);
  EXPECT_FALSE(e.models[0].baseline);
  EXPECT_THAT(e.models[0].notes, ElementsAre(HasSubstr("has changed")));
}

TEST_F(EvaluationRun, ABaselineThatChangedSinceTheConversionIsTold) {
  EvaluateOptions given = options({converted_});
  given.baseline = float_;
  EXPECT_THAT(run_evaluation(given, nullptr).models[0].notes, IsEmpty());
  bundle_.model.producer_name = "another";
  save_model(bundle_.model, float_);
  const Evaluation e = run_evaluation(given, nullptr);
  EXPECT_EQ(e.models[0].baseline, 0u);
  EXPECT_THAT(e.models[0].notes, ElementsAre(HasSubstr("is not the model that")));
}

// The files of both graphs have the same bytes. Only the data files tell the models apart.
TEST_F(EvaluationRun, ModelsAreToldApartByTheirData) {
  std::vector<fs::path> models;
  for (const char* name : {"a", "b"}) {
    models.push_back(folder() / name / "model.onnx");
    fs::create_directory(folder() / name);
    for (const char* side : {"vocab.txt", "config.json"})
      fs::copy(folder() / side, folder() / name / side);
    save_model(bundle_.model, models.back(), {.max_proto_bytes = 10'000});
  }
  for (const auto& entry : fs::directory_iterator(folder() / "b"))
    if (entry.path().extension() == ".data") {
      std::string bytes = read_file(entry.path(), 1 << 24);
      float first = 0;
      std::memcpy(&first, bytes.data(), sizeof(first));
      first += 1;
      std::memcpy(bytes.data(), &first, sizeof(first));
      write_file_atomically(entry.path(), bytes);
    }
  ASSERT_EQ(sha256_file(models[0]), sha256_file(models[1]));
  EvaluateOptions given = options({models[0]});
  given.baseline = models[1];
  const Evaluation e = run_evaluation(given, nullptr);
  EXPECT_EQ(e.models[0].baseline, 0u);
  EXPECT_NE(e.models[0].run.file.sha256, e.baselines[0].file.sha256);
  given.baseline = models[0];
  EXPECT_FALSE(run_evaluation(given, nullptr).models[0].baseline);
}

TEST_F(EvaluationRun, LabelsThatNothingTellsAreNotGuessed) {
  const Evaluation told = run_evaluation(options({float_}), nullptr);
  fs::remove(folder() / "config.json");
  EvaluateOptions unknown = options({float_});
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { run_evaluation(unknown, nullptr); }),
              AllOf(HasSubstr("model.onnx: the model has no config.json"), HasSubstr("--labels")));
  const auto answers = [&](std::vector<std::string> labels) {
    EvaluateOptions named = options({float_});
    named.task.labels = std::move(labels);
    return run_evaluation(named, nullptr).models[0].run.answers.values;
  };
  const std::vector<double>& values = told.models[0].run.answers.values;
  EXPECT_EQ(answers({"negative", "positive"}), values);
  const auto swapped = answers({"positive", "negative"});
  for (size_t e = 0; e < values.size(); ++e) EXPECT_EQ(swapped[e], 1 - values[e]);
  EvaluateOptions other = options({float_});
  other.task.labels = {"negative", "positive"};
  other.task.name = "stsb";
  EXPECT_THAT(error_of(ErrorCode::usage, [&] { run_evaluation(other, nullptr); }),
              HasSubstr("--labels: task stsb has no classes"));
}

TEST_F(EvaluationRun, OptionsThatAnswersDependOnAreKept) {
  EvaluateOptions as_it_is = options({float_}), tanh = options({float_});
  tanh.execution.gelu = Gelu::tanh;
  EXPECT_EQ(difference(run_evaluation(as_it_is, nullptr), run_evaluation(tanh, nullptr)),
            "--gelu (model and tanh)");
}

}  // namespace
}  // namespace fp8q::test
