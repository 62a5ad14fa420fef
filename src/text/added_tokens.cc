#include "text/added_tokens.h"

#include <unordered_set>

#include "base/utf8.h"
#include "text/unicode_class.h"

namespace fp8q {
namespace {

bool is(char32_t c, CharClass wanted) { return (char_classes(c) & wanted) != 0; }

size_t skip_spaces(std::string_view text, size_t at) {
  while (at < text.size()) {
    const DecodedChar c = decode_utf8(text, at);
    if (!is(c.value, kSpace)) break;
    at += c.bytes;
  }
  return at;
}

// Returns where the white space that ends at `end` begins, but not before `from`.
size_t skip_spaces_back(std::string_view text, size_t from, size_t end) {
  while (end > from) {
    const DecodedChar c = decode_utf8_before(text, end);
    if (!is(c.value, kSpace) || end - from < c.bytes) break;
    end -= c.bytes;
  }
  return end;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::vector<Trie::Entry> entries;
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string_view content = tokens_[i].content;
    if (content.empty() || !seen.insert(content).second) continue;
    entries.emplace_back(content, static_cast<int32_t>(i));
    starts_with_[static_cast<unsigned char>(content[0])] = true;
  }
  contents_ = Trie(std::move(entries));
}

bool AddedTokenMatcher::stands_alone(std::string_view text, size_t begin, size_t end) const {
  return (begin == 0 || !is(decode_utf8_before(text, begin).value, kWord)) &&
         (end == text.size() || !is(decode_utf8(text, end).value, kWord));
}

std::optional<AddedTokenMatch> AddedTokenMatcher::find(std::string_view text, size_t from) const {
  if (tokens_.empty()) return std::nullopt;
  for (size_t at = from; at < text.size();) {
    if (!starts_with_[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const Trie::Match match = contents_.longest_prefix(text.substr(at));
    if (match.value == Trie::kNone) {
      ++at;
      continue;
    }
    const auto index = static_cast<size_t>(match.value);
    const AddedToken& token = tokens_[index];
    const size_t end = at + match.length;
    if (token.single_word && !stands_alone(text, at, end)) {
      at = end;
      continue;
    }
    return AddedTokenMatch{index, token.lstrip ? skip_spaces_back(text, from, at) : at,
                           token.rstrip ? skip_spaces(text, end) : end};
  }
  return std::nullopt;
}

}  // namespace fp8q
