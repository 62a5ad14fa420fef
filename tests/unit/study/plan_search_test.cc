#include "study/plan_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace fp8q {
namespace {

using testing::ElementsAre;

// Returns ten units with one step each, in the order of their harm.
std::vector<Move> ten() {
  std::vector<Move> moves;
  for (size_t u = 0; u < 10; ++u)
    moves.push_back({.unit = u, .step = 1, .harm = 10.0 - static_cast<double>(u), .price = 1});
  return moves;
}

TEST(OrderedMoves, GoByHarmPerPrice) {
  const auto order = ordered_moves({{.unit = 0, .step = 1, .harm = 1, .price = 1},
                                    {.unit = 1, .step = 1, .harm = 3, .price = 2},
                                    {.unit = 2, .step = 1, .harm = 1, .price = 0.5}});
  EXPECT_EQ(order[0].unit, 2u);
  EXPECT_EQ(order[1].unit, 1u);
  EXPECT_EQ(order[2].unit, 0u);
}

TEST(OrderedMoves, StepsOfAUnitComeInTheirOrder) {
  // The first move is useful and the second is less so, so there are two moves.
  const auto apart = ordered_moves({{.unit = 0, .step = 2, .harm = 1, .price = 1},
                                    {.unit = 0, .step = 1, .harm = 5, .price = 1}});
  ASSERT_EQ(apart.size(), 2u);
  EXPECT_EQ(apart[0].step, 1u);
  // A first step that does nothing is taken together with the second.
  const auto joined = ordered_moves({{.unit = 0, .step = 1, .harm = 0, .price = 1},
                                     {.unit = 0, .step = 2, .harm = 6, .price = 1}});
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined[0].step, 2u);
  EXPECT_EQ(joined[0].harm, 6);
  EXPECT_EQ(joined[0].price, 2);
}

TEST(SearchPlan, FindsTheShortestBeginningByBisection) {
  for (size_t needed = 0; needed <= 10; ++needed) {
    size_t evaluations = 0;
    const auto meets = [&](const Assignment& a) {
      ++evaluations;
      size_t made = 0;
      while (made < a.size() && a[made] == 1) ++made;  // only a beginning counts
      return made >= needed;
    };
    const SearchResult found = search_plan(10, ten(), {.longest = 10, .evaluations = 0}, meets);
    ASSERT_TRUE(found.assignment) << needed;
    EXPECT_EQ(found.moves.size(), needed);
    EXPECT_LE(evaluations, 9u) << needed;
  }
}

TEST(SearchPlan, TakesBackWhatIsNotNeeded) {
  // Units 2 and 6 do all the harm. The order does not show it.
  const auto meets = [](const Assignment& a) { return a[2] == 1 && a[6] == 1; };
  const SearchResult found = search_plan(10, ten(), {.longest = 10, .evaluations = 100}, meets);
  ASSERT_TRUE(found.assignment);
  EXPECT_EQ(text_of(*found.assignment), "0010001000");
  EXPECT_THAT(found.moves, ElementsAre(2, 6));
}

TEST(SearchPlan, KeepsToTheEvaluationsAllowedForTakingBack) {
  size_t evaluations = 0;
  const auto meets = [&](const Assignment& a) {
    ++evaluations;
    return a[9] == 1;
  };
  const SearchResult found = search_plan(10, ten(), {.longest = 10, .evaluations = 3}, meets);
  ASSERT_TRUE(found.assignment);
  EXPECT_EQ(found.moves.size(), 7u);  // three of ten were taken back
  EXPECT_LE(evaluations, 12u);
}

TEST(SearchPlan, SaysWhenNothingMeetsTheDemand) {
  const auto never = [](const Assignment&) { return false; };
  EXPECT_FALSE(search_plan(10, ten(), {.longest = 10, .evaluations = 5}, never).assignment);
  const auto all = [](const Assignment& a) { return text_of(a) == "1111111111"; };
  EXPECT_FALSE(search_plan(10, ten(), {.longest = 9, .evaluations = 5}, all).assignment);
  EXPECT_TRUE(search_plan(10, ten(), {.longest = 10, .evaluations = 5}, all).assignment);
  EXPECT_FALSE(search_plan(10, {}, {.longest = 0, .evaluations = 5}, never).assignment);
}

TEST(SearchPlan, TheResultWasEvaluatedEvenWhereTheScoreDoesNotRise) {
  // The demand is met with 3, 5, 8, 9 or 10 moves. The bisection may land on any of them.
  std::set<std::string> good;
  const auto meets = [&](const Assignment& a) {
    const auto made = static_cast<size_t>(std::count(a.begin(), a.end(), 1u));
    const bool yes = made == 3 || made == 5 || made >= 8;
    if (yes) good.insert(text_of(a));
    return yes;
  };
  const SearchResult found = search_plan(10, ten(), {.longest = 10, .evaluations = 50}, meets);
  ASSERT_TRUE(found.assignment);
  EXPECT_TRUE(good.contains(text_of(*found.assignment)));
}

TEST(SearchPlan, AStepThatIsPassedIsNotTakenBackAlone) {
  std::vector<Move> moves = {{.unit = 0, .step = 1, .harm = 5, .price = 1},
                             {.unit = 0, .step = 2, .harm = 4, .price = 1},
                             {.unit = 1, .step = 1, .harm = 3, .price = 1}};
  const auto meets = [](const Assignment& a) { return a[0] >= 1 && a[1] == 1; };
  const SearchResult found =
      search_plan(2, ordered_moves(moves), {.longest = 3, .evaluations = 9}, meets);
  ASSERT_TRUE(found.assignment);
  EXPECT_EQ(text_of(*found.assignment), "11");
}

}  // namespace
}  // namespace fp8q
