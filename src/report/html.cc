#include "report/html.h"

#include <spdlog/fmt/fmt.h>

namespace fp8q {

std::string escape(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"wide\"><table><thead><tr>";
  std::vector<std::string_view> alignment;
  for (const std::string& cell : head) {
    const bool number = cell.starts_with('>');
    alignment.push_back(number ? " class=\"number\"" : "");
    html += fmt::format("<th{}>{}</th>", alignment.back(), escape(cell.substr(number)));
  }
  html += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    html += "<tr>";
    for (size_t i = 0; i < row.size(); ++i)
      html += fmt::format("<td{}>{}</td>", i < alignment.size() ? alignment[i] : "", row[i]);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string html_section(std::string_view title, std::string_view lead, std::string_view content) {
  return fmt::format("<section>\n<h2>{}</h2>\n<p class=\"lead\">{}</p>\n{}</section>\n",
                     escape(title), lead, content);
}

std::string html_figure(std::string_view title, std::string_view chart, std::string_view caption) {
  return fmt::format("<figure>\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n</figure>\n",
                     escape(title), chart, caption);
}

}  // namespace fp8q
