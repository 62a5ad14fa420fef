// Tests text and examples as models of a call read them.
#include "session/task_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "session/bundle_scorer.h"
#include "session/calibration_text.h"
#include "session/make_engine.h"
#include "session/task_options.h"
#include "session/task_scorer.h"
#include "tests/support/errors.h"
#include "tests/unit/session/tiny_bundle.h"

namespace fp8q::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Provides ten sentences of one to ten words.
class InputsTest : public testing::Test {
 protected:
  InputsTest() {
    std::string table = "sentence\tlabel\n", lines;
    for (size_t e = 0; e < 10; ++e) {
      std::string sentence;
      for (size_t w = 0; w <= e; ++w)
        sentence += std::string(w ? " wa" : "wa") + static_cast<char>('a' + w);
      table += sentence + "\t" + std::to_string(e % 2) + "\n";
      lines += sentence + "\n";
    }
    table_ = bundle_.files.write("dev.tsv", table);
    lines_ = bundle_.files.write("lines.txt", lines);
  }
  TaskRequest request() const { return {.task = {.name = "sst2", .data = table_}}; }
  TaskScorer scorer(const TaskRequest& wanted) {
    return TaskScorer(bundle_, wanted, {.batch = 4, .seed = 1}, notes_);
  }

  TinyBundle bundle_;
  fs::path table_, lines_;
  std::vector<std::string> notes_;
};

TEST_F(InputsTest, ShardsAreStretchesOfTheExamples) {
  std::vector<std::string> texts, of_shards;
  const TaskInputs all(request(), bundle_, notes_);
  for (const Example& example : all.data().examples) texts.push_back(example.text);
  ASSERT_THAT(texts, SizeIs(10));
  EXPECT_TRUE(all.part().whole());
  for (const size_t shard : {1, 2, 3}) {
    TaskRequest wanted = request();
    wanted.shard = shard;
    wanted.shards = 3;
    const TaskInputs inputs(wanted, bundle_, notes_);
    EXPECT_EQ(inputs.part().begin, static_cast<int64_t>(of_shards.size()));
    EXPECT_EQ(inputs.part().of, 10);
    for (const Example& example : inputs.data().examples) of_shards.push_back(example.text);
  }
  EXPECT_EQ(of_shards, texts);
}

TEST_F(InputsTest, LimitAndHoldoutChooseExamples) {
  TaskRequest wanted = request();
  wanted.task.limit = 4;
  EXPECT_THAT(TaskInputs(wanted, bundle_, notes_).data().examples, SizeIs(4));
  wanted = request();
  wanted.side = {.share = 0.5, .seed = 1};
  const size_t seen = TaskInputs(wanted, bundle_, notes_).data().examples.size();
  wanted.side.held_out = true;
  EXPECT_EQ(TaskInputs(wanted, bundle_, notes_).data().examples.size(), 10 - seen);
}

TEST_F(InputsTest, ModelsOfOneTokenizerShareTheirSequences) {
  TaskInputs inputs(request(), bundle_, notes_);
  const PreparedInputs& first = inputs.prepared(bundle_, notes_);
  EXPECT_THAT(first.sequences.encodings.front().ids, ElementsAre(2, 4, 3));
  EXPECT_EQ(&inputs.prepared(bundle_, notes_), &first);
  const TinyBundle shorter({.opset = 18, .positions = 8, .labels = 2});
  const PreparedInputs& cut = inputs.prepared(shorter, notes_);
  EXPECT_NE(&cut, &first);
  EXPECT_THAT(cut.sequences.encodings.back().ids, SizeIs(8));
  EXPECT_THAT(notes_.back(), HasSubstr("takes at most 8 tokens"));
}

TEST_F(InputsTest, ATableOfTheUsersNeedsAFileAndLabels) {
  TaskRequest wanted{.task = {.name = "text"}};
  EXPECT_THAT(error_of(ErrorCode::usage, [&] { TaskInputs(wanted, bundle_, notes_); }),
              HasSubstr("--task text needs --data FILE"));
  wanted.task.data = table_;
  wanted.task.table.text_column = "sentence";
  const TaskInputs inputs(wanted, bundle_, notes_);
  EXPECT_THAT(inputs.data().examples, SizeIs(10));
  EXPECT_THAT(inputs.task().classes, SizeIs(2)) << "the model has two logits";
}

TEST_F(InputsTest, AGraphThatIsNoEncoderTellsItsLogitsItself) {
  TinyBundle other({.opset = 18, .labels = 2, .mask = MaskStyle::causal});
  ASSERT_FALSE(other.encoder);
  fs::remove(other.files.path() / "config.json");
  ValueInfo& logits = other.model.graph.outputs[0];
  logits.has_shape = true;
  logits.shape.assign(2, {});
  logits.shape[1].value = 2;
  TaskRequest wanted{.task = {.name = "text", .data = table_}};
  wanted.task.table.text_column = "sentence";
  EXPECT_THAT(TaskInputs(wanted, other, notes_).task().classes, SizeIs(2));
  logits.shape[1] = {};
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { TaskInputs(wanted, other, notes_); }),
              HasSubstr("--labels NAMES"));
  wanted.task.labels = {"0", "1"};
  EXPECT_THAT(TaskInputs(wanted, other, notes_).task().classes, SizeIs(2));
}

TEST_F(InputsTest, FingerprintsTellWhatAScoreDependsOn) {
  const std::string whole = scorer(request()).fingerprint();
  EXPECT_EQ(scorer(request()).fingerprint(), whole);
  EXPECT_THAT(whole, HasSubstr("sst2 dev, data "));
  EXPECT_THAT(whole, HasSubstr(", 10 examples, "));
  TaskRequest wanted = request();
  wanted.task.limit = 9;
  EXPECT_NE(scorer(wanted).fingerprint(), whole);
  wanted = request();
  wanted.task.max_length = 6;
  EXPECT_NE(scorer(wanted).fingerprint(), whole);
  wanted = request();
  wanted.task.labels = {"positive", "negative"};
  EXPECT_NE(scorer(wanted).fingerprint(), whole);
  wanted = request();
  wanted.task.spans.doc_stride = 1;
  EXPECT_NE(scorer(wanted).fingerprint(), whole);
}

TEST_F(InputsTest, ConvertedModelsAreScoredInMemory) {
  upgrade_for_conversion(bundle_);
  const TaskScorer task = scorer(request());
  const ExecutionOptions execution{.device = "cpu"};
  const auto engine = make_engine(bundle_, execution, notes_);
  BundleScorer scorer(bundle_, execution, *engine, task.scorer());
  EXPECT_EQ(scorer.examples(), 10u);
  const Scored as_it_is = scorer.float_model(nullptr);
  Plan nothing;
  for (const Site& site : bundle_.sites) {
    SitePlan& plan = nothing.sites.emplace_back();
    plan.path = site.path;
    plan.value = site.value;
    plan.kind = site.kind;
  }
  EXPECT_EQ(scorer.converted(nothing, nullptr).answers.logits, as_it_is.answers.logits);
  PlanMaker maker({bundle_.model, bundle_.sites, &*bundle_.encoder, nullptr});
  const Plan plan = maker.plan(maker.request(*recipe_named("int8-dynamic"), {}, {}));
  size_t done = 0;
  const Scored quantized = scorer.converted(plan, [&](size_t so_far, size_t) { done = so_far; });
  EXPECT_EQ(done, 10u);
  EXPECT_NE(quantized.answers.logits, as_it_is.answers.logits);
}

TEST_F(InputsTest, TextIsReadAsTheModelReadsIt) {
  const CalibrationText text =
      calibration_text({.task = {.data = lines_}, .examples = 4}, bundle_, notes_);
  EXPECT_THAT(text.encodings, SizeIs(4));
  EXPECT_EQ(text.encodings.front().ids.front(), 2);
  EXPECT_EQ(text.facts.path, lines_);
  EXPECT_THAT(text.tokenizer_sha256, SizeIs(64));
  EXPECT_EQ(text.max_length, 128u);
  EXPECT_EQ(text.task, "");
  const CalibrationText of_task = calibration_text(
      {.task = {.name = "sst2", .data = table_, .max_length = 5}, .examples = 99}, bundle_, notes_);
  EXPECT_THAT(of_task.encodings, SizeIs(10));
  EXPECT_EQ(of_task.task, "sst2");
  for (const Encoding& encoding : of_task.encodings) EXPECT_LE(encoding.ids.size(), 5u);
}

TEST_F(InputsTest, RandomIdsAreRepeatable) {
  const auto random = [&](uint64_t seed) {
    return calibration_text({.examples = 3, .random_seed = seed}, bundle_, notes_).encodings;
  };
  const auto first = random(7);
  ASSERT_THAT(first, SizeIs(3));
  EXPECT_EQ(first[0].ids, random(7)[0].ids);
  EXPECT_NE(first[0].ids, random(8)[0].ids);
  for (const Encoding& encoding : first)
    EXPECT_THAT(encoding.ids, Each(testing::AllOf(testing::Ge(0), testing::Lt(60))));
  EXPECT_THAT(notes_.back(), HasSubstr("are not text"));
  EXPECT_THAT(error_of(ErrorCode::usage,
                       [&] {
                         calibration_text(
                             {.task = {.data = lines_}, .examples = 1, .random_seed = 1}, bundle_,
                             notes_);
                       }),
              HasSubstr("exclude each other"));
}

TEST(AnsweringOptions, AreThoseThatChangeAnswers) {
  TaskOptions options;
  const auto of = [&] { return answering_options(options, require_task("squad")); };
  const auto before = of();
  EXPECT_EQ(before.front(), (std::pair<std::string, std::string>("--max-length", "384")));
  options.split = "train";
  options.limit = 3;
  EXPECT_EQ(of(), before) << "they choose examples";
  options.spans.best = 1;
  EXPECT_NE(of(), before);
}

}  // namespace
}  // namespace fp8q::test
