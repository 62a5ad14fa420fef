#include "text/added_tokens.h"

#include <algorithm>

namespace fp8q {

AddedTokenMatcher::AddedTokenMatcher(std::vector<Pattern> patterns)
    : patterns_(std::move(patterns)) {
  std::erase_if(patterns_, [](const Pattern& p) { return p.text.empty(); });
  std::stable_sort(patterns_.begin(), patterns_.end(), [](const Pattern& a, const Pattern& b) {
    return a.text.size() > b.text.size();
  });
  for (const Pattern& p : patterns_) starts_with_[static_cast<unsigned char>(p.text[0])] = true;
}

std::optional<AddedTokenMatch> AddedTokenMatcher::find(std::string_view text, size_t from) const {
  if (patterns_.empty()) return std::nullopt;
  for (size_t at = from; at < text.size(); ++at) {
    if (!starts_with_[static_cast<unsigned char>(text[at])]) continue;
    for (const Pattern& pattern : patterns_)
      if (text.compare(at, pattern.text.size(), pattern.text) == 0)
        return AddedTokenMatch{pattern.id, at, at + pattern.text.size()};
  }
  return std::nullopt;
}

}  // namespace fp8q
