// Tests decoding of start and end logits, on windows worked by hand.
#include "evaluate/spans.h"

#include <gtest/gtest.h>

#include <vector>

namespace fp8q {
namespace {

// Makes [CLS] q [SEP] t0 t1 t2 t3 [SEP]. The text's tokens are two characters each with a space
// between.
Encoding window() {
  Encoding w;
  w.ids = {1, 10, 2, 20, 21, 22, 23, 2};
  w.offsets = {{0, 0}, {0, 3}, {0, 0}, {0, 2}, {3, 5}, {6, 8}, {9, 11}, {0, 0}};
  w.second_begin = 3;
  return w;
}

std::optional<Span> best(const std::vector<float>& start, const std::vector<float>& end,
                         const SpanSettings& settings = {}) {
  const Encoding w = window();
  return best_span(w, {start, end}, text_tokens(w), settings);
}

TEST(Spans, TheTextIsWhatIsLeftOfTheFrame) {
  const TextTokens text = text_tokens(window());
  EXPECT_EQ(text.begin, 3u);
  EXPECT_EQ(text.end, 7u);
}

TEST(Spans, TakesTheHighestSumInTheText) {
  // Higher logits on [CLS], the question and [SEP] do not count.
  const auto span = best({9, 9, 9, 1, 4, 0, 0, 9}, {9, 9, 9, 0, 1, 3, 2, 9});
  ASSERT_TRUE(span);
  EXPECT_EQ(span->score, 7);
  EXPECT_EQ(span->range, (CharRange{3, 8}));
}

TEST(Spans, NeverEndsBeforeItStarts) {
  const auto span = best({0, 0, 0, 0, 0, 0, 9, 0}, {0, 0, 0, 9, 1, 1, 2, 0});
  EXPECT_EQ(span->score, 11);
  EXPECT_EQ(span->range, (CharRange{9, 11}));
}

TEST(Spans, HasALongestAnswer) {
  const std::vector<float> start = {0, 0, 0, 5, 0, 3, 0, 0}, end = {0, 0, 0, 0, 0, 0, 5, 0};
  EXPECT_EQ(best(start, end, {.max_answer_tokens = 4})->range, (CharRange{0, 11}));
  EXPECT_EQ(best(start, end, {.max_answer_tokens = 3})->range, (CharRange{6, 11}));
  EXPECT_EQ(best(start, end, {.max_answer_tokens = 1})->range, (CharRange{0, 2}));
}

TEST(Spans, OfEqualSumsTheEarlierOneWins) {
  const std::vector<float> flat(8, 1);
  EXPECT_EQ(best(flat, flat)->range, (CharRange{0, 2}));
}

TEST(Spans, OnlyTheBestStartsAndEndsAreConsidered) {
  const std::vector<float> start = {5, 4, 3, 2, 1, 0, 0, 0};
  EXPECT_FALSE(best(start, start, {.best = 3}));
  EXPECT_EQ(best(start, start, {.best = 4})->range, (CharRange{0, 2}));
}

TEST(Spans, NoAnswerIsTheFirstToken) {
  const std::vector<float> start = {2, 0}, end = {3, 9};
  EXPECT_EQ(null_score({start, end}), 5);
}

TEST(Spans, CharactersAreCodePoints) {
  const std::string text = "é 1½ 東京 \xFF end";
  EXPECT_EQ(substring(text, {2, 4}), "1½");
  EXPECT_EQ(substring(text, {5, 7}), "東京");
  EXPECT_EQ(substring(text, {8, 13}), "\xFF end");
  EXPECT_EQ(substring(text, {0, 0}), "");
  EXPECT_EQ(substring("ab", {1, 9}), "b");
}

}  // namespace
}  // namespace fp8q
