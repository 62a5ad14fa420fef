#include "tests/unit/report/markup.h"

#include <cstdlib>
#include <set>

namespace fp8q::test {
namespace {

std::string around(std::string_view html, size_t at) { return std::string(html.substr(at, 60)); }

}  // namespace

std::string markup_problem(std::string_view html) {
  static const std::set<std::string, std::less<>> kVoid = {"meta", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string_view::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    if (end == std::string_view::npos) return "a tag has no end: " + around(html, at);
    std::string_view tag = html.substr(at + 1, end - at - 1);
    if (tag.find('<') != std::string_view::npos) return "a tag inside a tag: " + around(html, at);
    size_t quotes = 0;
    for (const char c : tag) quotes += c == '"';
    if (quotes % 2 != 0) return "an attribute has no end: " + around(html, at);
    const bool closing = tag.starts_with('/');
    if (closing) tag.remove_prefix(1);
    const std::string name(tag.substr(0, tag.find_first_of(" \n/")));
    if (kVoid.contains(name) || tag.ends_with('/')) continue;
    if (!closing) {
      open.push_back(name);
    } else {
      if (open.empty() || open.back() != name) return "closes another: " + around(html, at);
      open.pop_back();
    }
  }
  return open.empty() ? "" : "is not closed: " + open.back();
}

std::vector<double> numbers_after(std::string_view html, std::string_view before) {
  std::vector<double> numbers;
  for (size_t at = html.find(before); at != std::string_view::npos; at = html.find(before, at + 1))
    numbers.push_back(std::strtod(html.data() + at + before.size(), nullptr));
  return numbers;
}

}  // namespace fp8q::test
