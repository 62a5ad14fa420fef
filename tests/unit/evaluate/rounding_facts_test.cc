#include "evaluate/rounding_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Site site(const std::string& path, SiteKind kind, bool quantized) {
  Site s;
  s.path = path;
  s.kind = kind;
  if (quantized) s.quantization = Quantization{.format = Format::int8, .scale = {}, .axis = {}};
  return s;
}

TEST(RoundingFacts, AreOfQuantizedActivationsThatSawValues) {
  const std::vector<Site> sites = {
      site("a", SiteKind::activation, true), site("w", SiteKind::weight, true),
      site("b", SiteKind::activation, false), site("c", SiteKind::activation, true)};
  const std::vector<SiteRounding> counts = {{1000, 2, 600}, {5, 5, 5}, {5, 5, 5}, {0, 0, 0}};
  const std::vector<RoundingCounts> list = rounding_counts(sites, counts);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].path, "a");
  EXPECT_EQ(list[0].format, "int8");
  EXPECT_EQ(list[1].path, "c");
  const std::vector<RoundingFacts> facts = rounding_facts(list);
  ASSERT_EQ(facts.size(), 1u);
  EXPECT_EQ(facts[0].saturated, 0.002);
  EXPECT_EQ(facts[0].underflowed, 0.6);
  EXPECT_TRUE(rounding_counts(sites, {}).empty()) << "an engine that counts nothing";
}

TEST(RoundingFacts, NotesNameTheWorstAboveTheShare) {
  std::vector<std::string> notes;
  add_rounding_notes("m", {{"a", "int8", 9, kManySaturated, kManyUnderflowed}}, notes);
  EXPECT_TRUE(notes.empty());
  add_rounding_notes("m", {{"a", "int8", 9, 0.01, 0.1}, {"b", "int8", 9, 0.02, 0.75}}, notes);
  EXPECT_THAT(notes,
              ElementsAre(HasSubstr("m: at 2 Sites more than 0.1 % of the values saturate, most at "
                                    "b (2.00 %)"),
                          HasSubstr("m: at 1 Site more than 50 % of the values become zero")));
}

}  // namespace
}  // namespace fp8q
