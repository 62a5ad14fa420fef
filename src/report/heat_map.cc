#include <algorithm>
#include <array>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"

namespace fp8q {
namespace {

using Color = std::array<double, 3>;

// The colors go from dark to light, so that the order survives gray printing and color blindness.
constexpr std::array<Color, 5> kScale = {
    {{68, 20, 60}, {150, 40, 70}, {214, 103, 64}, {240, 180, 110}, {250, 243, 220}}};

Color color_at(double share) {
  const double position = std::clamp(share, 0.0, 1.0) * (kScale.size() - 1);
  const auto below = std::min(static_cast<size_t>(position), kScale.size() - 2);
  Color color;
  for (size_t i = 0; i < 3; ++i)
    color[i] =
        std::lerp(kScale[below][i], kScale[below + 1][i], position - static_cast<double>(below));
  return color;
}

// Returns black or white, whichever stands out, by the relative luminance with WCAG 2's weights of
// the channels.
const char* text_on(const Color& c) {
  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] > 120 ? "#111" : "#fff";
}

Html cell(const HeatMap& map, size_t row, size_t column) {
  const auto& value = map.values[row][column];
  if (!value) return html("<td class=\"none\"></td>");
  const Color c = color_at((*value - map.low) / (map.high - map.low));
  const std::string number = std::isfinite(*value) ? fmt::format("{:.0f}", *value) : "exact";
  return html(
      "<td style=\"background:rgb({:.0f},{:.0f},{:.0f});color:{}\" title=\"{} / {}: {}{}\">{}</td>",
      c[0], c[1], c[2], text_on(c), map.rows[row], map.columns[column],
      std::isfinite(*value) ? fmt::format("{:.1f}", *value) : number, map.unit,
      std::isfinite(*value) ? Html(number) : html("&infin;"));
}

}  // namespace

Html heat_map(const HeatMap& map) {
  Html table = html("<div class=\"wide\"><table class=\"heat\"><thead><tr><th></th>");
  for (const auto& column : map.columns) table += html("<th><span>{}</span></th>", column);
  table += html("</tr></thead><tbody>\n");
  for (size_t row = 0; row < map.rows.size(); ++row) {
    table += html("<tr><th>{}</th>", map.rows[row]);
    for (size_t column = 0; column < map.columns.size(); ++column) table += cell(map, row, column);
    table += html("</tr>\n");
  }
  return table + html("</tbody></table></div>\n");
}

}  // namespace fp8q
