// Tests models without a head, by the cosine of embeddings.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "evaluate/label_evaluator.h"

namespace fp8q {
namespace {

TEST(Cosine, OfVectors) {
  const std::vector<float> a = {3, 4}, b = {4, 3}, zero = {0, 0}, minus = {-6, -8};
  EXPECT_DOUBLE_EQ(cosine(a, b), 24.0 / 25);
  EXPECT_DOUBLE_EQ(cosine(a, minus), -1);
  EXPECT_EQ(cosine(a, zero), 0);
}

TEST(EmbeddingEvaluator, ComparesTheTwoSequencesOfAnExample) {
  const std::vector<Example> examples = {{.text = "a", .pair = "b", .gold = 5},
                                         {.text = "c", .pair = "d", .gold = 1}};
  const EmbeddingEvaluator evaluator(require_task("stsb"), examples,
                                     {.name = "sentence_embedding",
                                      .embedding = true,
                                      .pooling = RowFunction::max,
                                      .note = "cosine"});
  EXPECT_EQ(evaluator.pooling(), RowFunction::max);
  Sequences sequences;
  sequences.encodings.resize(4);
  sequences.first = {0, 2, 4};
  RunResult run;
  run.outputs = {{"token_embeddings", false, 1}, {"sentence_embedding", false, 2}};
  run.examples = {{{1}, {1, 1}}, {{2}, {2, 2}}, {{3}, {1, 0}}, {{4}, {0, 3}}};
  const Answers answers = evaluator.answers(sequences, run, {});
  EXPECT_NEAR(answers.values[0], 1, 1e-15);
  EXPECT_EQ(answers.values[1], 0);
  EXPECT_TRUE(answers.texts.empty());
  const std::vector<uint32_t> all = {0, 1};
  EXPECT_DOUBLE_EQ(evaluator.score(answers, all).score, 100);
  EXPECT_EQ(answers.notes, std::vector<std::string>{"cosine"});
  run.examples[2][1][0] = INFINITY;
  EXPECT_THROW(evaluator.answers(sequences, run, {}), Error);
}

TEST(MakeEvaluator, EmbeddingsAnswerOnlyWithNumbersForPairs) {
  const EvaluatorSettings embeddings{
      .output = {.name = "", .embedding = true, .pooling = {}, .note = ""}};
  EXPECT_NO_THROW(make_evaluator(require_task("stsb"), {}, embeddings));
  EXPECT_THROW(make_evaluator(require_task("sst2"), {}, embeddings), Error);
  EXPECT_THROW(make_evaluator(require_task("mrpc"), {}, embeddings), Error);
}

}  // namespace
}  // namespace fp8q
