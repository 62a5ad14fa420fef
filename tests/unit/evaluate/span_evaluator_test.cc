// Tests the way from start and end logits to the scores of SQuAD v1.1 and v2.0.
#include "evaluate/span_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "evaluate/score.h"

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

// Makes [CLS] q [SEP] "ab" "cd" [SEP], one window per question.
Encoding window(uint32_t shift = 0) {
  Encoding w;
  w.ids = {1, 10, 2, 20, 21, 2};
  w.offsets = {{0, 0}, {0, 1}, {0, 0}, {shift, shift + 2}, {shift + 3, shift + 5}, {0, 0}};
  w.second_begin = 3;
  return w;
}

struct Question {
  std::vector<std::string> answers;
  std::vector<float> start, end;  // of one window
};

struct Case {
  std::vector<Example> examples;
  Sequences sequences;
  RunResult run;

  explicit Case(const std::vector<Question>& questions) {
    run.outputs = {{"start_logits", true, 1}, {"end_logits", true, 1}};
    for (const Question& q : questions) {
      examples.push_back({.text = "q", .pair = "ab cd", .id = "id", .answers = q.answers});
      sequences.encodings.push_back(window());
      sequences.first.push_back(sequences.encodings.size());
      run.examples.push_back({q.start, q.end});
    }
  }
  Answers answers(const char* task, const EvaluatorSettings& settings = {}) const {
    return SpanEvaluator(require_task(task), examples, settings).answers(sequences, run, {});
  }
  Scored scored(const char* task, const EvaluatorSettings& settings = {}) const {
    const SpanEvaluator evaluator(require_task(task), examples, settings);
    return score_answers(evaluator, examples.size(), evaluator.answers(sequences, run, {}), 1);
  }
};

// "ab cd" gets the score 6, and no answer gets `null`.
Question both(std::vector<std::string> answers, float null = 0) {
  return {std::move(answers), {null, 0, 0, 3, 0, 0}, {0, 0, 0, 0, 3, 0}};
}

TEST(SpanEvaluator, GivesTheTextAndItsWorth) {
  const Scored s = Case({both({"ab cd"}), both({"cd", "x"}), both({"ef"})}).scored("squad");
  EXPECT_THAT(s.answers.texts, ElementsAre("ab cd", "ab cd", "ab cd"));
  EXPECT_EQ(s.score.metrics[0].first, "exact_match");
  EXPECT_DOUBLE_EQ(s.score.metrics[0].second, 1.0 / 3);
  EXPECT_DOUBLE_EQ(s.score.metrics[1].second, (1 + 2.0 / 3 + 0) / 3);
  EXPECT_DOUBLE_EQ(s.score.score, 100 * (1 + 2.0 / 3) / 3);
  EXPECT_TRUE(s.details.empty());
}

TEST(SpanEvaluator, TheBestWindowOfAQuestionCounts) {
  Case c({both({"ab cd"})});
  c.examples[0].pair = "ab cd ef gh";
  c.sequences.encodings.push_back(window(6));
  c.sequences.first = {0, 2};
  c.run.examples.push_back({{0, 0, 0, 7, 0, 0}, {0, 0, 0, 1, 0, 0}});
  EXPECT_THAT(c.answers("squad").texts, ElementsAre("ef"));
  c.run.examples[1][0][3] = 5;  // 6, as in the first window, which goes first
  EXPECT_THAT(c.answers("squad").texts, ElementsAre("ab cd"));
}

TEST(SpanEvaluator, NoAnswerWhereItScoresBetterByMoreThanTheThreshold) {
  const Case c({both({"ab cd"}, 7), both({}, 7), both({}, 5), both({"ab"}, 5)});
  EXPECT_THAT(c.answers("squad2").texts, ElementsAre("", "", "ab cd", "ab cd"));
  EXPECT_DOUBLE_EQ(c.answers("squad2").spans[0].null_difference, 1);
  EXPECT_THAT(c.answers("squad2", {.null_threshold = 1}).texts,
              ElementsAre("ab cd", "ab cd", "ab cd", "ab cd"));
  EXPECT_THAT(c.answers("squad2", {.null_threshold = -2}).texts, ElementsAre("", "", "", ""));
  // SQuAD v1.1 always answers.
  EXPECT_THAT(c.answers("squad").texts, ElementsAre("ab cd", "ab cd", "ab cd", "ab cd"));

  const Scored s = c.scored("squad2");
  const std::map<std::string, double> details(s.details.begin(), s.details.end());
  EXPECT_DOUBLE_EQ(s.score.metrics[0].second, 1.0 / 4);
  EXPECT_DOUBLE_EQ(s.score.metrics[1].second, (0 + 1 + 0 + 2.0 / 3) / 4);
  EXPECT_DOUBLE_EQ(details.at("has_answer_exact_match"), 0);
  EXPECT_DOUBLE_EQ(details.at("has_answer_f1"), 1.0 / 3);
  EXPECT_DOUBLE_EQ(details.at("no_answer_accuracy"), 0.5);
  // Answering nothing gives 2 of 4. Answering up to -1 adds 2/3 - 1, and up to 1 another 1 - 1.
  EXPECT_DOUBLE_EQ(details.at("best_f1"), 2.0 / 4);
  EXPECT_LT(details.at("best_f1_threshold"), -1);
}

TEST(SpanEvaluator, ComparesTexts) {
  const Scored baseline = Case({both({"ab"}), both({"x"}, 9)}).scored("squad2");
  const Scored tested = Case({both({"ab"}), both({"x"}, 0)}).scored("squad2");
  const Difference d = compare(tested, baseline);
  EXPECT_THAT(d.flips, Optional(ElementsAre(1)));
  EXPECT_EQ(d.test, "paired-bootstrap");
  EXPECT_DOUBLE_EQ(d.score, 0);
}

TEST(SpanEvaluator, ReferencesAreShownOnce) {
  const Case c({both({"ab", "cd", "ab"}), both({})});
  const SpanEvaluator evaluator(require_task("squad2"), c.examples, {});
  EXPECT_EQ(evaluator.gold(0), "ab / cd");
  EXPECT_EQ(evaluator.gold(1), "(no answer)");
}

TEST(SpanEvaluator, TakesOneOutputWithBothLogits) {
  Case c({both({"ab cd"})});
  std::vector<float> joined;
  for (size_t i = 0; i < 6; ++i) {
    joined.push_back(c.run.examples[0][0][i]);
    joined.push_back(c.run.examples[0][1][i]);
  }
  c.run.outputs = {{"logits", true, 2}};
  c.run.examples = {{joined}};
  EXPECT_THAT(c.answers("squad").texts, ElementsAre("ab cd"));
}

TEST(SpanEvaluator, NamesDecideWhichOutputIsTheStart) {
  Case c({both({"ab cd"})});
  std::swap(c.run.outputs[0], c.run.outputs[1]);
  std::swap(c.run.examples[0][0], c.run.examples[0][1]);
  EXPECT_THAT(c.answers("squad").texts, ElementsAre("ab cd"));
}

TEST(SpanEvaluator, RefusesOtherModelsAndLogitsThatAreNotFinite) {
  Case c({both({"ab"})});
  c.run.examples[0][1][2] = NAN;
  try {
    c.answers("squad");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_model);
    EXPECT_THAT(e.what(), HasSubstr("question id"));
  }
  c.run.outputs = {{"logits", false, 2}};
  try {
    c.answers("squad");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_data);
    EXPECT_THAT(e.what(), HasSubstr("logits (2 per example)"));
  }
}

}  // namespace
}  // namespace fp8q
