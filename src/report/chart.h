// Makes charts as HTML and SVG without scripts. Positions are shares of the width, and text is not
// scaled, so a chart can be read on a phone, on a screen and on paper.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/html.h"

namespace fp8q {

// A bar chart has horizontal bars from zero, with the largest value at full width.
struct Bar {
  std::string label;
  double value = 0;  // not negative
  std::string text;  // printed beside the bar
  int series = 0;    // 0..5: its color
};
Html bar_chart(const std::vector<Bar>& bars);

// An interval chart has one row per point with its interval, on one axis.
struct IntervalRow {
  std::string label;
  double value = 0;
  double low = 0;
  double high = 0;
  std::string text;
  int series = 0;
};
// `reference` is the place of a vertical line, such as "no difference".
Html interval_chart(const std::vector<IntervalRow>& rows, std::optional<double> reference);

// A heat map has rows x columns of numbers. A cell without a number is nullopt.
struct HeatMap {
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<double>>> values;  // [row][column]
  double low = 0;                                          // gets the darkest color
  double high = 1;                                         // gets the lightest color
  const char* unit = "";                                   // for the tooltip
};
Html heat_map(const HeatMap& map);

// A magnitude chart shows how magnitudes are distributed, and below them the values that formats
// can represent. Positions are binary logarithms.
struct GridStrip {
  std::string label;
  std::vector<double> marks;  // log2 of the representable magnitudes
  double zero_below = 0;      // log2 of the magnitude up to which values round to zero
};
struct MagnitudeChart {
  double low = 0;              // log2, left end
  double high = 1;             // log2, right end
  std::vector<double> shares;  // shares of bins of equal width from `low` to `high`
  std::vector<GridStrip> strips;
};
Html magnitude_chart(const MagnitudeChart& chart);

}  // namespace fp8q
