#include "report/html.h"

#include "base/error.h"

namespace fp8q {

Html Html::of_program(std::string_view markup) {
  Html made;
  made.markup_ = markup;
  return made;
}

Html::Html(Escaped, std::string_view text) {
  for (const char c : printable(text, kMaxPrintedMessage)) {
    switch (c) {
      case '&':
        markup_ += "&amp;";
        break;
      case '<':
        markup_ += "&lt;";
        break;
      case '>':
        markup_ += "&gt;";
        break;
      case '"':
        markup_ += "&quot;";
        break;
      case '\'':
        markup_ += "&#39;";
        break;
      default:
        markup_ += c;
    }
  }
}

Html code(std::string_view name) { return html("<code>{}</code>", name); }

Html html_table(const std::vector<std::string>& head, const std::vector<std::vector<Html>>& rows) {
  Html table = html("<div class=\"wide\"><table><thead><tr>");
  std::vector<Html> alignment;
  for (const std::string& cell : head) {
    const bool number = cell.starts_with('>');
    alignment.push_back(number ? html(" class=\"number\"") : Html());
    table += html("<th{}>{}</th>", alignment.back(), cell.substr(number));
  }
  table += html("</tr></thead><tbody>\n");
  for (const auto& row : rows) {
    table += html("<tr>");
    for (size_t i = 0; i < row.size(); ++i)
      table += html("<td{}>{}</td>", i < alignment.size() ? alignment[i] : Html(), row[i]);
    table += html("</tr>\n");
  }
  return table + html("</tbody></table></div>\n");
}

Html html_section(std::string_view title, const Html& lead, const Html& content) {
  return html("<section>\n<h2>{}</h2>\n<p class=\"lead\">{}</p>\n{}</section>\n", title, lead,
              content);
}

Html html_figure(std::string_view title, const Html& chart, const Html& caption) {
  return html("<figure>\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n</figure>\n", title, chart,
              caption);
}

}  // namespace fp8q
