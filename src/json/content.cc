#include "json/content.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace fp8q::json {
namespace {

void append_key(const std::string& key, std::string& place) {
  const bool plain = !key.empty() && std::ranges::all_of(key, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  });
  if (!plain) place += fmt::format("[\"{}\"]", printable(key));
  else place += fmt::format("{}{}", place.empty() ? "" : ".", printable(key));
}

// Looks for `node` in `from`. `place` is the place of `from`, and becomes that of `node` if it is
// found. The recursion is no deeper than a document nests.
bool find(const Node& from, const Node& node, std::string& place) {
  if (&from == &node) return true;
  if (!from.is_structured()) return false;
  const size_t length = place.size();
  size_t index = 0;
  for (auto child = from.begin(); child != from.end(); ++child) {
    if (from.is_object()) append_key(child.key(), place);
    else place += fmt::format("[{}]", index++);
    if (find(*child, node, place)) return true;
    place.resize(length);
  }
  return false;
}

}  // namespace

std::string Content::place_of(const Node& node) const {
  std::string place;
  find(root, node, place);
  return place;
}

void Content::reject(const std::string& place, std::string_view problem) const {
  fail(kind.code, "{}{}{}: {}{}{}", source, place.empty() ? "" : ": ", place, problem,
       kind.remedy.empty() ? "" : "; ", kind.remedy);
}

}  // namespace fp8q::json
