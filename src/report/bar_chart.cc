#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "report/chart.h"
#include "report/html.h"

namespace fp8q {

std::string bar_chart(const std::vector<Bar>& bars) {
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, bar.value);
  std::string html = "<div class=\"bars\">\n";
  for (const Bar& bar : bars)
    html += fmt::format(
        "<span>{}</span><span class=\"track\"><span class=\"bar s{}\" style=\"width:{:.2f}%\">"
        "</span></span><span class=\"number\">{}</span>\n",
        escape(bar.label), bar.series, longest > 0 ? 100 * bar.value / longest : 0.0,
        escape(bar.text));
  return html + "</div>\n";
}

}  // namespace fp8q
