#include <algorithm>

#include "report/chart.h"
#include "report/html.h"

namespace fp8q {

Html bar_chart(const std::vector<Bar>& bars) {
  double longest = 0;
  for (const Bar& bar : bars) longest = std::max(longest, bar.value);
  Html chart = html("<div class=\"bars\">\n");
  for (const Bar& bar : bars)
    chart += html(
        "<span>{}</span><span class=\"track\"><span class=\"bar s{}\" style=\"width:{:.2f}%\">"
        "</span></span><span class=\"number\">{}</span>\n",
        bar.label, bar.series, longest > 0 ? 100 * bar.value / longest : 0.0, bar.text);
  return chart + html("</div>\n");
}

}  // namespace fp8q
