#include "tasks/holdout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"

namespace fp8q {
namespace {

using testing::HasSubstr;

std::vector<Example> sentences(size_t count) {
  std::vector<Example> examples;
  for (size_t e = 0; e < count; ++e) examples.push_back({.text = fmt::format("sentence {}", e)});
  return examples;
}

// Returns five questions about each of the passages.
std::vector<Example> questions(size_t passages) {
  std::vector<Example> examples;
  for (size_t e = 0; e < 5 * passages; ++e)
    examples.push_back(
        {.text = fmt::format("question {}", e), .pair = fmt::format("passage {}", e / 5)});
  return examples;
}

std::vector<std::string> texts_of(const std::vector<Example>& examples) {
  std::vector<std::string> texts;
  for (const Example& e : examples) texts.push_back(e.text);
  return texts;
}

const Task& sst2() { return require_task("sst2"); }

TEST(Holdout, TheSidesAreDisjointAndMakeUpAll) {
  const auto all = sentences(101);
  const auto seen = texts_of(examples_of({.share = 0.3}, sst2(), all));
  const auto held = texts_of(examples_of({.share = 0.3, .held_out = true}, sst2(), all));
  EXPECT_EQ(held.size(), 30u);
  std::vector<std::string> both = seen;
  both.insert(both.end(), held.begin(), held.end());
  EXPECT_THAT(both, testing::UnorderedElementsAreArray(texts_of(all)));
  // The examples stay in the order of the data.
  const auto position = [&](const std::string& text) { return std::stoi(text.substr(9)); };
  EXPECT_TRUE(std::ranges::is_sorted(held, {}, position));
}

TEST(Holdout, FollowsFromExamplesAndSeedWhateverTheirOrder) {
  auto all = sentences(60);
  const HoldoutSide side{.share = 0.5, .seed = 7, .held_out = true};
  const auto held = texts_of(examples_of(side, sst2(), all));
  EXPECT_EQ(texts_of(examples_of(side, sst2(), all)), held);
  std::ranges::reverse(all);
  EXPECT_THAT(texts_of(examples_of(side, sst2(), all)), testing::UnorderedElementsAreArray(held));
  EXPECT_NE(texts_of(examples_of({.share = 0.5, .seed = 8, .held_out = true}, sst2(), all)), held);
}

TEST(Holdout, QuestionsAboutAPassageStayTogether) {
  std::set<std::string> seen, held;
  for (const Example& e : examples_of({.share = 0.5}, require_task("squad"), questions(20)))
    seen.insert(*e.pair);
  const auto others =
      examples_of({.share = 0.5, .held_out = true}, require_task("squad"), questions(20));
  for (const Example& e : others) held.insert(*e.pair);
  EXPECT_EQ(others.size(), 50u);
  EXPECT_EQ(seen.size() + held.size(), 20u);
}

TEST(Holdout, EqualTextsStayTogetherInLabelTasks) {
  auto all = sentences(40);
  for (size_t e = 0; e < 40; ++e) all.push_back(all[e]);
  const auto held = texts_of(examples_of({.share = 0.5, .held_out = true}, sst2(), all));
  EXPECT_EQ(held.size(), 40u);
  EXPECT_EQ(std::set(held.begin(), held.end()).size(), 20u);
}

TEST(Holdout, WithoutAShareAllAreOnOneSide) {
  EXPECT_EQ(examples_of({}, sst2(), sentences(3)).size(), 3u);
}

TEST(Holdout, AnEmptySideIsRefused) {
  const auto refused = [](double share, const Task& task, std::vector<Example> examples) {
    try {
      examples_of({.share = share}, task, std::move(examples));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::usage);
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refused(0.1, sst2(), sentences(4)), HasSubstr("none would be held out"));
  EXPECT_THAT(refused(0.99, sst2(), sentences(4)), HasSubstr("all would be held out"));
  EXPECT_THAT(refused(0.5, require_task("squad"), questions(1)), HasSubstr("1 texts"));
}

}  // namespace
}  // namespace fp8q
