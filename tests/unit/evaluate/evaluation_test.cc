// Tests the file of an evaluation, and putting parts together.
#include "evaluate/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "evaluate/evaluation_score.h"
#include "evaluate/label_evaluator.h"

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelRun run_of(const std::vector<double>& values) {
  ModelRun run;
  run.file = {"models/m.onnx", std::string(64, 'a'), 1000};
  run.format = "e4m3";
  run.tokenizer_sha256 = std::string(64, 'b');
  for (const double v : values) {
    run.answers.values.push_back(v);
    run.answers.logits.push_back({static_cast<float>(v) / 3, -0.0f});
  }
  run.sequences = run.tokens = values.size();
  run.seconds = 0.1;
  run.kernels = {{"layer.0", "e4m3", "fp32"}};
  run.rounding = {{"layer.0/x", "e4m3", {10, 2, 1}}};
  run.engine = "cpu, one";
  run.notes = {"of the run"};
  return run;
}

// Returns the examples [begin, end) of four, answered with `values`.
Evaluation part_of(const char* task, int64_t begin, const std::vector<double>& values) {
  Evaluation e;
  e.version = "1";
  e.task = require_task(task);
  e.split = "dev";
  e.data = {"data/dev.tsv", std::string(64, 'd'), false, false};
  e.options = {{"--max-length", "128"}};
  e.part = {begin, begin + static_cast<int64_t>(values.size()), 4};
  for (size_t i = 0; i < values.size(); ++i)
    e.examples.push_back({.text = "text", .pair = "pair", .gold = static_cast<double>(i % 2)});
  e.models.push_back({.run = run_of(values), .execution = {"cpu", "cpu, one", 2, 1.5, 7}});
  if (!e.task.is_regression()) judge_labels(e.task, e.examples, e.models[0].run.answers);
  return e;
}

TEST(EvaluationFile, HoldsEverythingExactly) {
  for (const char* task : {"mrpc", "stsb"}) {
    Evaluation e = part_of(task, 1, {1, 0});
    if (e.task.is_regression()) e.models[0].run.answers.values[0] = 0.1 + 0.2;
    e.baselines.push_back(run_of({0, 0}));
    judge_labels(e.task, e.examples, e.baselines[0].answers);
    e.models[0].baseline = 0;
    const std::string bytes = to_json(e);
    const Evaluation read = evaluation_from_json(bytes, "f.json");
    EXPECT_EQ(to_json(read), bytes);
    EXPECT_EQ(difference(e, read), "");
    const ModelRun& run = read.models[0].run;
    EXPECT_EQ(run.answers.values, e.models[0].run.answers.values);
    EXPECT_EQ(run.answers.logits, e.models[0].run.answers.logits);
    EXPECT_EQ(run.answers.texts, e.models[0].run.answers.texts);
    EXPECT_EQ(read.part, e.part);
    EXPECT_EQ(read.models[0].baseline, 0u);
  }
}

TEST(EvaluationFile, HoldsAnswersToQuestions) {
  Evaluation e = part_of("squad2", 0, {});
  e.part.end = 1;
  e.examples = {{.text = "Who?", .gold = 0, .id = "q1", .answers = {"she", "her \xff"}}};
  Answers& answers = e.models[0].run.answers;
  answers.spans = {{{0.0, 2.0 / 3}, std::numeric_limits<double>::max(), {1, 1}}};
  answers.texts = {"he"};
  const Evaluation read = evaluation_from_json(to_json(e), "f.json");
  const Answers::SpanAnswer& span = read.models[0].run.answers.spans.at(0);
  EXPECT_EQ(span.score.f1, 2.0 / 3);
  EXPECT_EQ(span.null_difference, std::numeric_limits<double>::max());
  EXPECT_EQ(span.best_span.exact, 1);
  EXPECT_EQ(read.models[0].run.answers.texts, answers.texts);
  // Text that is not UTF-8 is only shown, and does not make the file unreadable.
  EXPECT_THAT(read.examples[0].answers, ElementsAre("she", "her \xEF\xBF\xBD"));
}

TEST(Evaluation, PartsAppend) {
  Evaluation whole = part_of("sst2", 0, {1, 0});
  Evaluation next = part_of("sst2", 2, {0, 1});
  next.models[0].run.engine = "cpu, two";
  next.models[0].execution = {"cpu", "cpu, two", 4, 2.0, 5};
  whole.append(next);
  const ModelRun& run = whole.models[0].run;
  EXPECT_TRUE(whole.part.whole());
  EXPECT_THAT(run.answers.values, ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(run.answers.right, ElementsAre(false, false, true, true));
  EXPECT_EQ(run.rounding[0].counts, (SiteRounding{20, 4, 2}));
  EXPECT_EQ(run.tokens, 4u);
  EXPECT_DOUBLE_EQ(run.seconds, 0.2);
  EXPECT_THAT(run.notes, ElementsAre("of the run", HasSubstr("(cpu, one; cpu, two)")));
  const EvaluateResult result = score_evaluation(whole).at(0);
  EXPECT_EQ(result.scores.metrics.at("accuracy"), 0.5);
  EXPECT_DOUBLE_EQ(result.scores.examples_per_s, 20);
  EXPECT_GE(result.execution.elapsed_s, 3.5);
  EXPECT_EQ(result.scores.rounding[0].saturated, 0.2);
}

TEST(Evaluation, DifferencesAreNamed) {
  const Evaluation a = part_of("sst2", 0, {1, 0});
  const auto differs = [&](auto change) {
    Evaluation b = a;
    change(b);
    return difference(a, b);
  };
  EXPECT_EQ(differs([](Evaluation& b) { b.models[0].run.file.path = "elsewhere.onnx"; }), "");
  EXPECT_EQ(differs([](Evaluation& b) { b.models[0].run.config_sha256 = "c"; }),
            "the config.json of the model (none and c)");
  EXPECT_EQ(differs([](Evaluation& b) { b.models[0].run.engine = "cuda, x"; }),
            "the device of the model (cpu and cuda)");
  EXPECT_EQ(differs([](Evaluation& b) { b.data.sha256 = std::string(64, 'e'); }),
            "the data (sha256 dddddddddddd and sha256 eeeeeeeeeeee)");
  EXPECT_EQ(differs([](Evaluation& b) { b.task = require_task("cola"); }),
            "the task (sst2 and cola)");
  EXPECT_EQ(differs([](Evaluation& b) { b.models.push_back(b.models[0]); }),
            "the number of models (1 and 2)");
  EXPECT_EQ(differs([](Evaluation& b) { b.models[0].run.rounding.clear(); }),
            "the Sites of the model or which model has a baseline");
}

// Returns a file with a right checksum that no evaluation writes.
std::string altered(const std::string& bytes, const std::string& pointer, nlohmann::json value) {
  nlohmann::json file = nlohmann::json::parse(bytes);
  file["content"][nlohmann::json::json_pointer(pointer)] = std::move(value);
  file["checksum"] = sha256(file["content"].dump());
  return file.dump();
}

TEST(EvaluationFile, RefusesWhatItCannotHold) {
  const std::string good = to_json(part_of("sst2", 0, {1, 0}));
  const auto problem = [&](const char* pointer, nlohmann::json value) -> std::string {
    try {
      evaluation_from_json(altered(good, pointer, std::move(value)), "f.json");
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::bad_data);
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(problem("/examples/0/gold", 2),
              HasSubstr("examples[0].gold: expected a whole number from 0 to 1"));
  EXPECT_THAT(problem("/models/0/run/answers/1/label", 9), HasSubstr("answers[1].label"));
  EXPECT_THAT(problem("/models/0/run/answers", nlohmann::json::array()), HasSubstr("0 rows for 2"));
  EXPECT_THAT(problem("/models/0/baseline", 0), HasSubstr("none of the baselines"));
  EXPECT_THAT(problem("/models", nlohmann::json::array()), HasSubstr("no model"));
  EXPECT_THAT(problem("/part/end", 3), HasSubstr("no part with 2 examples"));
  EXPECT_THAT(problem("/task/metrics/0", "pearson"), HasSubstr("does not fit"));
  EXPECT_THAT(problem("/task/classes/0", nlohmann::json::array()), HasSubstr("names no label"));
  EXPECT_THAT(problem("/split", 1), HasSubstr("f.json: content.split: expected a string, found 1"));
  EXPECT_THROW(evaluation_from_json(good.substr(0, good.size() / 2), "f.json"), Error);
  for (const std::string& bytes : {"{\"schema\":1," + good.substr(1), std::string(500, '[')})
    EXPECT_THROW(evaluation_from_json(bytes, "f.json"), Error);
}

}  // namespace
}  // namespace fp8q
