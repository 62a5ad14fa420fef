#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"

namespace fp8q {
namespace {

// Returns a step of 1, 2 or 5 times a power of ten that divides `span` into about five parts.
double round_step(double span) {
  const double raw = span / 5;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double mantissa = raw / power;
  return power * (mantissa < 1.5 ? 1 : mantissa < 3.5 ? 2 : mantissa < 7.5 ? 5 : 10);
}

struct Axis {
  double low;
  double high;
  double step;
  // Counts the marks by their number: a step may be too small to change a large value.
  int marks() const {
    const double steps = std::round((high - low) / step);
    return steps > 0 ? static_cast<int>(std::min(steps, 20.0)) + 1 : 1;
  }
  double percent(double x) const { return 100 * (x - low) / (high - low); }
};

Axis axis_for(const std::vector<IntervalRow>& rows, std::optional<double> reference) {
  double low = reference.value_or(rows.front().low);
  double high = reference.value_or(rows.front().high);
  for (const auto& row : rows) {
    low = std::min({low, row.low, row.value});
    high = std::max({high, row.high, row.value});
  }
  if (!(high > low)) {
    low -= 0.5;
    high += 0.5;
  }
  const double step = round_step(high - low);
  return {step * std::floor(low / step), step * std::ceil(high / step), step};
}

}  // namespace

Html interval_chart(const std::vector<IntervalRow>& rows, std::optional<double> reference) {
  if (rows.empty()) return {};
  const Axis axis = axis_for(rows, reference);
  Html chart = html("<div class=\"bars\">\n");
  for (const auto& row : rows) {
    chart += html(
        "<span>{}</span><svg class=\"interval\" role=\"img\" aria-label=\"{}\">"
        "<line class=\"rule\" x1=\"0\" x2=\"100%\" y1=\"50%\" y2=\"50%\"/>",
        row.label, row.label + ": " + row.text);
    if (reference)
      chart +=
          html("<line class=\"reference\" x1=\"{0:.2f}%\" x2=\"{0:.2f}%\" y1=\"0\" y2=\"100%\"/>",
               axis.percent(*reference));
    chart += html(
        "<line class=\"s{0}\" x1=\"{1:.2f}%\" x2=\"{2:.2f}%\" y1=\"50%\" y2=\"50%\"/>"
        "<circle class=\"s{0}\" cx=\"{3:.2f}%\" cy=\"50%\" r=\"5\"/></svg>"
        "<span class=\"number\">{4}</span>\n",
        row.series, axis.percent(row.low), axis.percent(row.high), axis.percent(row.value),
        row.text);
  }
  chart += html("<span></span><span class=\"axis\">");
  for (int mark = 0; mark < axis.marks(); ++mark) {
    const double x = axis.low + mark * axis.step;
    chart += html("<span style=\"left:{:.2f}%\">{:.6g}</span>", axis.percent(x),
                  std::abs(x) < axis.step / 2 ? 0.0 : x);
  }
  return chart + html("</span><span></span>\n</div>\n");
}

}  // namespace fp8q
