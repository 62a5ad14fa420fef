// Runs models on the examples of a task, whole and in parts, beside their baselines.
#include "session/evaluation_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file_facts.h"
#include "evaluate/evaluation_score.h"
#include "onnx/save.h"
#include "quantize/rewrite.h"
#include "study/plan_maker.h"
#include "tests/unit/session/tiny_bundle.h"

namespace fp8q::test {
namespace {

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

TEST_F(EvaluationRun, OptionsThatAnswersDependOnAreKept) {
  EvaluateOptions as_it_is = options({float_}), tanh = options({float_});
  tanh.execution.gelu = Gelu::tanh;
  EXPECT_EQ(difference(run_evaluation(as_it_is, nullptr), run_evaluation(tanh, nullptr)),
            "--gelu (model and tanh)");
}

}  // namespace
}  // namespace fp8q::test
