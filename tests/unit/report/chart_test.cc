#include "report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "report/html.h"
#include "report/site_map.h"
#include "tests/unit/report/markup.h"

namespace fp8q::test {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Html, EscapesWhatHtmlReads) {
  EXPECT_EQ(escape("a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  EXPECT_THAT(html_table({"<head>"}, {}), HasSubstr("&lt;head&gt;"));
  EXPECT_THAT(html_section("<script>", "", ""), HasSubstr("&lt;script&gt;"));
}

TEST(Charts, LabelsAreEscaped) {
  const std::string hostile = "\"><script>x</script>";
  for (const std::string& html :
       {bar_chart({{hostile, 1, hostile, 0}}), interval_chart({{hostile, 1, 0, 2, hostile, 0}}, {}),
        heat_map({{hostile}, {hostile}, {{1.0}}, 0, 1, ""}),
        magnitude_chart({0, 1, {1.0}, {{hostile, {0.5}, 0.1}}})}) {
    EXPECT_EQ(html.find("<script"), std::string::npos);
    EXPECT_EQ(markup_problem(html), "");
  }
}

TEST(BarChart, LongestFillsTheTrack) {
  const std::string html = bar_chart({{"a", 5, "", 0}, {"b", 10, "", 1}, {"c", 0, "", 2}});
  EXPECT_THAT(numbers_after(html, "width:"), ElementsAre(50, 100, 0));
  EXPECT_THAT(numbers_after(bar_chart({{"only zeros", 0, "", 0}}), "width:"), ElementsAre(0));
}

TEST(IntervalChart, PlacesValuesOnARoundAxis) {
  // From -1.1 to 2.6 in steps of 1, the axis is [-2, 3].
  const std::string html =
      interval_chart({{"a", 0.5, -1.1, 2.6, "", 0}, {"b", 3, 3, 3, "", 1}}, 0.0);
  EXPECT_THAT(numbers_after(html, " cx=\""), ElementsAre(50, 100));
  EXPECT_THAT(numbers_after(html, "class=\"reference\" x1=\""), ElementsAre(40, 40));
  EXPECT_THAT(numbers_after(html, "left:"), ElementsAre(0, 20, 40, 60, 80, 100));
  for (const char* mark : {">-2<", ">0<", ">3<"}) EXPECT_THAT(html, HasSubstr(mark));
}

TEST(IntervalChart, OneValueWithoutWidth) {
  const std::string html = interval_chart({{"a", 80, 80, 80, "", 0}}, std::nullopt);
  EXPECT_THAT(numbers_after(html, " cx=\""), ElementsAre(50));
  EXPECT_EQ(html.find("reference"), std::string::npos);
  EXPECT_EQ(interval_chart({}, 0.0), "");
}

TEST(HeatMap, ColorsFollowTheValues) {
  const std::string html =
      heat_map({{"r"}, {"a", "b", "c", "d"}, {{0.0, 1.0, std::nullopt, INFINITY}}, 0, 1, " dB"});
  EXPECT_THAT(html, HasSubstr("rgb(68,20,60);color:#fff"));     // the lowest: dark, white text
  EXPECT_THAT(html, HasSubstr("rgb(250,243,220);color:#111"));  // the highest: light, black text
  EXPECT_THAT(html, HasSubstr("class=\"none\""));
  EXPECT_THAT(html, HasSubstr("&infin;"));
  EXPECT_THAT(html, HasSubstr("r / b: 1.0 dB"));
}

TEST(SiteMap, PathsBecomeRowsAndColumns) {
  const HeatMap map = decibel_map({{"embeddings", 1.0},
                                   {"layer.0/query/input", 2.0},
                                   {"layer.0/key/input", 3.0},
                                   {"layer.1/query/input", std::nullopt}});
  EXPECT_THAT(map.rows, ElementsAre("embeddings", "layer.0", "layer.1"));
  EXPECT_THAT(map.columns, ElementsAre("value", "query/input", "key/input"));
  ASSERT_EQ(map.values.size(), 3u);
  EXPECT_EQ(map.values[1][2], 3.0);
  EXPECT_EQ(map.values[2][1], std::nullopt);
  EXPECT_EQ(map.values[0].size(), 3u);
}

TEST(MagnitudeChart, MarksStandWhereTheirValuesDo) {
  const std::string html =
      magnitude_chart({-4, 0, {0.25, 0.5, 0.0, 0.25}, {{"grid", {-5, -4, -1, 0, 1}, -3}}});
  EXPECT_THAT(numbers_after(html, "<line x1=\""), ElementsAre(0, 75, 100));  // outside: not drawn
  EXPECT_THAT(numbers_after(html, "class=\"zero\" x=\"0\" y=\"0\" width=\""), ElementsAre(25));
  const auto heights = numbers_after(html, "%\" height=\"");
  ASSERT_EQ(heights.size(), 4u);  // three bars that are not empty, and the shade
  EXPECT_DOUBLE_EQ(heights[0] * 2, heights[1]);
}

TEST(Markup, ProblemsAreSeen) {  // the check itself can fail
  EXPECT_NE(markup_problem("<p><b></p>"), "");
  EXPECT_NE(markup_problem("<p title=\"x></p>"), "");
  EXPECT_NE(markup_problem("<p>"), "");
  EXPECT_EQ(markup_problem("<p title=\"x\">y<br></p>"), "");
}

}  // namespace
}  // namespace fp8q::test
