// Tests SQuAD's official normalization and scores on cases worked by hand from the evaluation
// script's definition.
#include "tasks/squad_metrics.h"

#include <gtest/gtest.h>

namespace fp8q {
namespace {

TEST(NormalizeAnswer, LowersAndDropsPunctuationArticlesAndSpaces) {
  EXPECT_EQ(normalize_answer("The  Quick, brown\tfox!"), "quick brown fox");
  EXPECT_EQ(normalize_answer("an apple a day, the end"), "apple day end");
  EXPECT_EQ(normalize_answer("A"), "");
  EXPECT_EQ(normalize_answer(""), "");
  EXPECT_EQ(normalize_answer("theatre another at"), "theatre another at");
  // Punctuation goes before articles are sought, and leaves no space.
  EXPECT_EQ(normalize_answer("U.S.A."), "usa");
  EXPECT_EQ(normalize_answer("t-h-e A's"), "as");
  EXPECT_EQ(normalize_answer("well-known"), "wellknown");
  EXPECT_EQ(normalize_answer("$1,000 a_b"), "1000 ab");
}

TEST(NormalizeAnswer, KnowsUnicodeAsPythonDoes) {
  EXPECT_EQ(normalize_answer("ÉCOLE Ölüm"), "école ölüm");
  EXPECT_EQ(normalize_answer("İ"), "i\u0307");
  // A dash is neither ASCII punctuation nor a letter, so the article beside it goes.
  EXPECT_EQ(normalize_answer("5–a–7"), "5– –7");
  EXPECT_EQ(normalize_answer("“The” end"), "“ ” end");
  EXPECT_EQ(normalize_answer("naïve½a"), "naïve½a");     // ½ is a number, so "a" is no word here
  EXPECT_EQ(normalize_answer("a\u0301 b"), "\u0301 b");  // a combining mark is no letter
  EXPECT_EQ(normalize_answer("x\u00A0y\u2003z\u0085w\u200Bv"), "x y z w\u200Bv");
}

TEST(ScoreAnswer, TakesTheBestReference) {
  const AnswerScore s = score_answer("the red house", {"House", "a red car", "red house"}, false);
  EXPECT_EQ(s.exact, 1);
  EXPECT_EQ(s.f1, 1);
  const AnswerScore partial = score_answer("big red house", {"house", "red"}, false);
  EXPECT_EQ(partial.exact, 0);
  EXPECT_DOUBLE_EQ(partial.f1, 0.5);  // precision 1/3, recall 1
}

TEST(ScoreAnswer, WordsAreSharedAsOftenAsBothHaveThem) {
  EXPECT_DOUBLE_EQ(score_answer("b b c", {"b b b d"}, false).f1, 2.0 * 2 / 7);
  EXPECT_EQ(score_answer("x", {"y"}, false).f1, 0);
}

TEST(ScoreAnswer, AnswersWithoutWords) {
  // In v1.1 the answers are equal, yet nothing is shared. In v2.0 such a reference does not count.
  EXPECT_EQ(score_answer("the", {"A"}, false).exact, 1);
  EXPECT_EQ(score_answer("the", {"A"}, false).f1, 0);
  EXPECT_EQ(score_answer("", {"A", "x"}, true).exact, 0);
  EXPECT_EQ(score_answer("", {"A"}, true).f1, 1);
  EXPECT_EQ(score_answer("", {}, true).exact, 1);
  EXPECT_EQ(score_answer("", {}, true).f1, 1);
  EXPECT_EQ(score_answer("x", {}, true).f1, 0);
  EXPECT_EQ(score_answer("", {"x"}, true).f1, 0);
}

TEST(BestThreshold, IsTheBestMeanOverAllCuts) {
  // Answering nothing gives 1/4. Up to -3 gives (1 + 1)/4. Up to 0 loses one right answer. Up to 2
  // gains 0.5.
  const BestThreshold best = best_threshold({{2, 0.5, 0}, {-3, 1, 0}, {0, 0, 1}, {5, 0, 0}});
  EXPECT_DOUBLE_EQ(best.score, 0.5);
  EXPECT_DOUBLE_EQ(best.threshold, -3);
  // All equal differences are answered together.
  EXPECT_DOUBLE_EQ(best_threshold({{1, 1, 0}, {1, 0, 1}, {1, 0, 1}}).score, 2.0 / 3);
  EXPECT_LT(best_threshold({{1, 1, 0}, {1, 0, 1}, {1, 0, 1}}).threshold, 1);
}

}  // namespace
}  // namespace fp8q
