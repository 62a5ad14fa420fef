// Tests windows over long texts, and the other ways examples become sequences.
#include "evaluate/sequences.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int32_t kCls = 2, kSep = 3, kQuestion = 4, kFirst = 5;  // ids, line numbers from 0

// The words w0 to w19 have the ids kFirst to kFirst + 19.
class SequencesTest : public testing::Test {
 protected:
  SequencesTest() : tokenizer_(Tokenizer::load(folder_.write("vocab.txt", vocabulary()))) {}

  static std::string vocabulary() {
    std::string lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nq\n";
    for (char c = 'a'; c < 'a' + 20; ++c) lines += std::string("w") + c + "\n";
    return lines;
  }
  static std::string words(size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += std::string("w") + static_cast<char>('a' + i) + " ";
    return text;
  }
  // Returns the first and last word of each window.
  std::vector<std::pair<int32_t, int32_t>> windows(size_t count, const WindowSettings& settings) {
    const std::vector<Example> examples = {{.text = "q", .pair = words(count)}};
    std::vector<std::pair<int32_t, int32_t>> ends;
    for (const Encoding& w : question_windows(tokenizer_, examples, settings).encodings) {
      EXPECT_EQ(w.ids[0], kCls);
      EXPECT_EQ(w.ids[1], kQuestion);
      EXPECT_EQ(w.ids[2], kSep);
      EXPECT_EQ(w.second_begin, 3u);
      EXPECT_EQ(w.ids.back(), kSep);
      EXPECT_LE(w.ids.size(), settings.max_length);
      ends.emplace_back(w.ids[3] - kFirst, w.ids[w.ids.size() - 2] - kFirst);
    }
    return ends;
  }

  test::TemporaryFolder folder_;
  Tokenizer tokenizer_;
};

using Ends = std::vector<std::pair<int32_t, int32_t>>;

TEST_F(SequencesTest, NeighboringWindowsShareTheOverlapAndTheLastReachesTheEnd) {
  // The question and the frame are 4 of 10 tokens.
  EXPECT_EQ(windows(6, {10, 2}), (Ends{{0, 5}}));
  EXPECT_EQ(windows(7, {10, 2}), (Ends{{0, 5}, {4, 6}}));
  EXPECT_EQ(windows(10, {10, 2}), (Ends{{0, 5}, {4, 9}}));
  EXPECT_EQ(windows(11, {10, 2}), (Ends{{0, 5}, {4, 9}, {8, 10}}));
  EXPECT_EQ(windows(12, {10, 0}), (Ends{{0, 5}, {6, 11}}));
  EXPECT_EQ(windows(8, {10, 5}), (Ends{{0, 5}, {1, 6}, {2, 7}}));
}

TEST_F(SequencesTest, OffsetsAreOfTheWholeText) {
  const std::vector<Example> examples = {{.text = "q", .pair = words(7)}};
  const Sequences s = question_windows(tokenizer_, examples, {10, 2});
  EXPECT_EQ(s.encodings[1].offsets[3], (CharRange{12, 14}));
}

TEST_F(SequencesTest, WindowsAreCountedByExample) {
  const std::vector<Example> examples = {
      {.text = "q", .pair = words(7)}, {.text = "q", .pair = ""}, {.text = "wa wb"}};
  const Sequences s = question_windows(tokenizer_, examples, {10, 2});
  EXPECT_THAT(s.first, ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(s.encodings[2].ids, ElementsAre(kCls, kQuestion, kSep, kSep));
  EXPECT_THAT(s.encodings[3].ids, ElementsAre(kCls, kFirst, kFirst + 1, kSep));
}

TEST_F(SequencesTest, LongQuestionsAreCut) {
  std::string question;
  for (size_t i = 0; i < kMaxQuestionTokens + 9; ++i) question += "q ";
  const std::vector<Example> examples = {{.text = question, .pair = "wa"}};
  const Sequences s = question_windows(tokenizer_, examples, {100, 2});
  EXPECT_EQ(s.encodings[0].second_begin, kMaxQuestionTokens + 2);
}

TEST_F(SequencesTest, AWindowThatWouldNotAdvanceIsRefused) {
  const std::vector<Example> examples = {{.text = "q", .pair = words(9), .id = "the-one"}};
  for (const size_t length : {3, 4, 6}) try {
      question_windows(tokenizer_, examples, {length, 2});
      ADD_FAILURE() << length;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::usage);
      EXPECT_THAT(e.what(), HasSubstr("question the-one"));
      EXPECT_THAT(e.what(), HasSubstr("--doc-stride"));
    }
  EXPECT_EQ(question_windows(tokenizer_, examples, {7, 2}).encodings.size(), 7u);
}

TEST_F(SequencesTest, PairsTogetherOrApart) {
  const std::vector<Example> examples = {{.text = "wa", .pair = "wb wc"},
                                         {.text = "q", .pair = ""}};
  const Sequences whole = whole_sequences(tokenizer_, examples, 16);
  EXPECT_THAT(whole.first, ElementsAre(0, 1, 2));
  EXPECT_EQ(whole.encodings[0].second_begin, 3u);
  const Sequences apart = separate_sequences(tokenizer_, examples, 4);
  EXPECT_THAT(apart.first, ElementsAre(0, 2, 4));
  EXPECT_THAT(apart.encodings[1].ids, ElementsAre(kCls, kFirst + 1, kFirst + 2, kSep));
  EXPECT_THAT(apart.encodings[3].ids, ElementsAre(kCls, kSep));
}

}  // namespace
}  // namespace fp8q
