#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"

namespace fp8q {
namespace {

constexpr int kHeight = 140;  // height of the histogram, in pixels

Html bars(const MagnitudeChart& chart) {
  const double highest = *std::ranges::max_element(chart.shares);
  const double width = 100.0 / static_cast<double>(chart.shares.size());
  Html svg = html("<svg class=\"histogram\" height=\"{}\">", kHeight);
  for (size_t i = 0; i < chart.shares.size(); ++i) {
    if (chart.shares[i] <= 0) continue;
    const double height = std::max(1.0, kHeight * chart.shares[i] / highest);
    svg += html(
        "<rect x=\"{:.3f}%\" y=\"{:.1f}\" width=\"{:.3f}%\" height=\"{:.1f}\"><title>{:.3g} % of "
        "all values</title></rect>",
        width * static_cast<double>(i), kHeight - height, 0.9 * width, height,
        100 * chart.shares[i]);
  }
  return svg + html("</svg>\n");
}

Html strip(const MagnitudeChart& chart, const GridStrip& grid) {
  const auto percent = [&](double x) {
    return 100 * std::clamp((x - chart.low) / (chart.high - chart.low), 0.0, 1.0);
  };
  Html svg = html(
      "<p class=\"strip\">{}</p><svg class=\"grid\" height=\"18\">"
      "<rect class=\"zero\" x=\"0\" y=\"0\" width=\"{:.3f}%\" height=\"18\"><title>rounds to zero"
      "</title></rect>",
      grid.label, percent(grid.zero_below));
  for (const double mark : grid.marks) {
    if (mark < chart.low || mark > chart.high) continue;
    svg += html("<line x1=\"{0:.3f}%\" x2=\"{0:.3f}%\" y1=\"0\" y2=\"18\"/>", percent(mark));
  }
  return svg + html("</svg>\n");
}

// Labels whole powers of two, at most about eight of them.
Html axis(const MagnitudeChart& chart) {
  const double step = std::max(1.0, std::ceil((chart.high - chart.low) / 8));
  Html labels = html("<div class=\"axis\">");
  for (double x = std::ceil(chart.low); x <= chart.high; x += step)
    labels += html("<span style=\"left:{:.2f}%\">2<sup>{:.0f}</sup></span>",
                   100 * (x - chart.low) / (chart.high - chart.low), x);
  return labels + html("</div>\n");
}

}  // namespace

Html magnitude_chart(const MagnitudeChart& chart) {
  if (chart.shares.empty()) return {};
  Html figure = html("<div class=\"magnitudes\">\n{}{}", bars(chart), axis(chart));
  for (const GridStrip& grid : chart.strips) figure += strip(chart, grid);
  return figure + html("</div>\n");
}

}  // namespace fp8q
