#include "report/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "report/html.h"
#include "report/site_map.h"
#include "tests/support/errors.h"
#include "tests/unit/report/markup.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Html, EscapesWhatHtmlReads) {
  EXPECT_EQ(Html("a<b>&\"c\"'").markup(), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
  EXPECT_THAT(html_table({"<head>"}, {{"<cell>"}}).markup(),
              AllOf(HasSubstr("&lt;head&gt;"), HasSubstr("<td>&lt;cell&gt;</td>")));
  EXPECT_THAT(
      html_section("<script>", "<lead>", "<content>").markup(),
      AllOf(HasSubstr("&lt;script&gt;"), HasSubstr("&lt;lead&gt;"), HasSubstr("&lt;content&gt;")));
  EXPECT_EQ(html("<b title=\"{}\">{:.1f} {}</b>", std::string("\"x"), 1.25, html("<br>")).markup(),
            "<b title=\"&quot;x\">1.2 <br></b>");
}

TEST(Html, ShowsWhatIsNotPrintable) {
  EXPECT_EQ(Html("a\x1b[31m\n\xE2\x80\xAE\xff").markup(), "a\\x1b[31m\\x0a\\xe2\\x80\\xae\\xff");
  EXPECT_LT(Html(std::string(1'000'000, '<')).markup().size(), 20'000u);
}

TEST(Charts, LabelsAreEscaped) {
  const std::string hostile = "\"><script>x</script>";
  for (const Html& chart :
       {bar_chart({{hostile, 1, hostile, 0}}), interval_chart({{hostile, 1, 0, 2, hostile, 0}}, {}),
        heat_map({{hostile}, {hostile}, {{1.0}}, 0, 1, ""}),
        magnitude_chart({0, 1, {1.0}, {{hostile, {0.5}, 0.1}}})}) {
    EXPECT_EQ(chart.markup().find("<script"), std::string::npos);
    EXPECT_EQ(markup_problem(chart.markup()), "");
  }
}

TEST(BarChart, LongestFillsTheTrack) {
  const std::string html = bar_chart({{"a", 5, "", 0}, {"b", 10, "", 1}, {"c", 0, "", 2}}).markup();
  EXPECT_THAT(numbers_after(html, "width:"), ElementsAre(50, 100, 0));
  EXPECT_THAT(numbers_after(bar_chart({{"only zeros", 0, "", 0}}).markup(), "width:"),
              ElementsAre(0));
}

TEST(IntervalChart, PlacesValuesOnARoundAxis) {
  // From -1.1 to 2.6 in steps of 1, the axis is [-2, 3].
  const std::string html =
      interval_chart({{"a", 0.5, -1.1, 2.6, "", 0}, {"b", 3, 3, 3, "", 1}}, 0.0).markup();
  EXPECT_THAT(numbers_after(html, " cx=\""), ElementsAre(50, 100));
  EXPECT_THAT(numbers_after(html, "class=\"reference\" x1=\""), ElementsAre(40, 40));
  EXPECT_THAT(numbers_after(html, "left:"), ElementsAre(0, 20, 40, 60, 80, 100));
  for (const char* mark : {">-2<", ">0<", ">3<"}) EXPECT_THAT(html, HasSubstr(mark));
}

TEST(IntervalChart, OneValueWithoutWidth) {
  const std::string html = interval_chart({{"a", 80, 80, 80, "", 0}}, std::nullopt).markup();
  EXPECT_THAT(numbers_after(html, " cx=\""), ElementsAre(50));
  EXPECT_EQ(html.find("reference"), std::string::npos);
  EXPECT_EQ(interval_chart({}, 0.0).markup(), "");
}

TEST(IntervalChart, HasFewMarksWhateverTheValues) {
  for (const double large : {1e17, 1e300, 1.7e308}) {
    const double next = std::nextafter(large, INFINITY);
    for (const auto& [low, high] : {std::pair(large, next), {-large, large}, {large, large}}) {
      const std::string html =
          interval_chart({{"a", low, low, high, "", 0}}, std::nullopt).markup();
      EXPECT_LE(numbers_after(html, "left:").size(), 21u) << low << " to " << high;
    }
  }
}

TEST(HeatMap, ColorsFollowTheValues) {
  const std::string html =
      heat_map({{"r"}, {"a", "b", "c", "d"}, {{0.0, 1.0, std::nullopt, INFINITY}}, 0, 1, " dB"})
          .markup();
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

// Paths that share neither row nor column would need a cell for each two of them.
TEST(SiteMap, CellsAreBounded) {
  const auto paths = [](int count, int rows) {
    SiteDecibels sites;
    for (int i = 0; i < count; ++i) sites.emplace_back(fmt::format("{}/{}", i % rows, i), 1.0);
    return sites;
  };
  EXPECT_EQ(decibel_map(paths(1000, 1)).columns.size(), 1000u);
  expect_error(ErrorCode::limit, "a report draws 20000 cells",
               [&] { decibel_map(paths(1000, 1000)); });
}

TEST(MagnitudeChart, MarksStandWhereTheirValuesDo) {
  const std::string html =
      magnitude_chart({-4, 0, {0.25, 0.5, 0.0, 0.25}, {{"grid", {-5, -4, -1, 0, 1}, -3}}}).markup();
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
