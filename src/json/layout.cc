#include "json/layout.h"

#include "base/error.h"

namespace fp8q::json {
namespace {

// Replaces the indentation of every line but the first by change(spaces) spaces.
template <typename Change>
std::string relaid(std::string_view text, const Change& change) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    out += text[at];
    if (text[at] != '\n') continue;
    const size_t begin = at + 1;
    while (at + 1 < text.size() && text[at + 1] == ' ') ++at;
    out.append(change(at + 1 - begin), ' ');
  }
  return out;
}

}  // namespace

std::string with_indent(std::string_view text, size_t from, size_t to) {
  return relaid(text, [&](size_t spaces) { return spaces / from * to; });
}

std::string list_of_texts(const std::vector<std::string>& texts, size_t indent) {
  if (texts.empty()) return "[]";
  std::vector<std::string> deeper;
  deeper.reserve(texts.size());
  for (const std::string& text : texts)
    deeper.push_back(relaid("\n" + text, [&](size_t spaces) { return spaces + indent; }));
  return fmt::format("[{}\n]", fmt::join(deeper, ","));
}

}  // namespace fp8q::json
