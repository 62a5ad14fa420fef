// Charts as HTML and SVG without scripts. Positions are shares of the width, lengths of text are
// not scaled: a chart can be read on a telephone, on a screen and on paper.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace fp8q {

// Horizontal bars from zero, longest value at full width.
struct Bar {
  std::string label;
  double value = 0;  // not negative
  std::string text;  // printed beside the bar
  int series = 0;    // 0..5: its color
};
std::string bar_chart(const std::vector<Bar>& bars);

// A point with its interval per row, on one axis.
struct IntervalRow {
  std::string label;
  double value = 0;
  double low = 0;
  double high = 0;
  std::string text;
  int series = 0;
};
// `reference`: a vertical line, such as "no difference".
std::string interval_chart(const std::vector<IntervalRow>& rows, std::optional<double> reference);

// Rows x columns of numbers; nullopt where there is none.
struct HeatMap {
  std::vector<std::string> rows;
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<double>>> values;  // [row][column]
  double low = 0;                                          // takes the darkest color
  double high = 1;                                         // takes the lightest
  const char* unit = "";                                   // for the tooltip
};
std::string heat_map(const HeatMap& map);

// How magnitudes are distributed, with the values that formats can represent below. Positions are
// binary logarithms.
struct GridStrip {
  std::string label;
  std::vector<double> marks;  // log2 of the representable magnitudes
  double zero_below = 0;      // log2 of the magnitude up to which values round to zero
};
struct MagnitudeChart {
  double low = 0;              // log2, left end
  double high = 1;             // log2, right end
  std::vector<double> shares;  // of bins of equal width from `low` to `high`
  std::vector<GridStrip> strips;
};
std::string magnitude_chart(const MagnitudeChart& chart);

}  // namespace fp8q
