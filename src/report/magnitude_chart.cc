#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"

namespace fp8q {
namespace {

constexpr int kHeight = 140;  // height of the histogram, in pixels

std::string bars(const MagnitudeChart& chart) {
  const double highest = *std::ranges::max_element(chart.shares);
  const double width = 100.0 / static_cast<double>(chart.shares.size());
  std::string svg = fmt::format("<svg class=\"histogram\" height=\"{}\">", kHeight);
  for (size_t i = 0; i < chart.shares.size(); ++i) {
    if (chart.shares[i] <= 0) continue;
    const double height = std::max(1.0, kHeight * chart.shares[i] / highest);
    svg += fmt::format(
        "<rect x=\"{:.3f}%\" y=\"{:.1f}\" width=\"{:.3f}%\" height=\"{:.1f}\"><title>{:.3g} % of "
        "all values</title></rect>",
        width * static_cast<double>(i), kHeight - height, 0.9 * width, height,
        100 * chart.shares[i]);
  }
  return svg + "</svg>\n";
}

std::string strip(const MagnitudeChart& chart, const GridStrip& grid) {
  const auto percent = [&](double x) {
    return 100 * std::clamp((x - chart.low) / (chart.high - chart.low), 0.0, 1.0);
  };
  std::string svg = fmt::format(
      "<p class=\"strip\">{}</p><svg class=\"grid\" height=\"18\">"
      "<rect class=\"zero\" x=\"0\" y=\"0\" width=\"{:.3f}%\" height=\"18\"><title>rounds to zero"
      "</title></rect>",
      escape(grid.label), percent(grid.zero_below));
  for (const double mark : grid.marks) {
    if (mark < chart.low || mark > chart.high) continue;
    svg += fmt::format("<line x1=\"{0:.3f}%\" x2=\"{0:.3f}%\" y1=\"0\" y2=\"18\"/>", percent(mark));
  }
  return svg + "</svg>\n";
}

// Labels whole powers of two, at most about eight of them.
std::string axis(const MagnitudeChart& chart) {
  const double step = std::max(1.0, std::ceil((chart.high - chart.low) / 8));
  std::string html = "<div class=\"axis\">";
  for (double x = std::ceil(chart.low); x <= chart.high; x += step)
    html += fmt::format("<span style=\"left:{:.2f}%\">2<sup>{:.0f}</sup></span>",
                        100 * (x - chart.low) / (chart.high - chart.low), x);
  return html + "</div>\n";
}

}  // namespace

std::string magnitude_chart(const MagnitudeChart& chart) {
  if (chart.shares.empty()) return "";
  std::string html = "<div class=\"magnitudes\">\n" + bars(chart) + axis(chart);
  for (const GridStrip& grid : chart.strips) html += strip(chart, grid);
  return html + "</div>\n";
}

}  // namespace fp8q
