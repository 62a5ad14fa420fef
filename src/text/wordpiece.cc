#include "text/wordpiece.h"

#include <algorithm>

#include "base/assert.h"
#include "text/utf8.h"

namespace fp8q {

WordPiece::WordPiece(const std::vector<std::pair<std::string, int32_t>>& vocabulary,
                     WordPieceOptions options)
    : options_(std::move(options)) {
  whole_.reserve(vocabulary.size());
  continuing_.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary) {
    const std::string_view stored = tokens_.emplace_back(token);
    whole_.emplace(stored, id);
    if (stored.substr(0, options_.continuing_prefix.size()) == options_.continuing_prefix)
      continuing_.emplace(stored.substr(options_.continuing_prefix.size()), id);
    longest_ = std::max(longest_, stored.size());
  }
  const auto unk = id_of(options_.unk_token);
  FP8Q_ASSERT(unk.has_value());
  unk_id_ = *unk;
}

std::optional<int32_t> WordPiece::id_of(std::string_view token) const {
  const auto found = whole_.find(token);
  if (found == whole_.end()) return std::nullopt;
  return found->second;
}

bool WordPiece::too_long(std::string_view word) const {
  // Counting is needed only where there are more bytes than characters allowed.
  return word.size() > options_.max_word_chars && count_code_points(word) > options_.max_word_chars;
}

void WordPiece::split(std::string_view word, std::vector<WordPieceMatch>& out) const {
  const size_t before = out.size();
  const auto unknown = [&] {
    out.resize(before);
    out.push_back({unk_id_, 0, word.size()});
  };
  if (too_long(word)) return unknown();
  for (size_t begin = 0; begin < word.size();) {
    const Ids& ids = begin == 0 ? whole_ : continuing_;
    size_t end = std::min(word.size(), begin + longest_);
    for (; end > begin; --end) {
      const auto found = ids.find(word.substr(begin, end - begin));
      if (found == ids.end()) continue;
      out.push_back({found->second, begin, end});
      break;
    }
    if (end == begin) return unknown();
    begin = end;
  }
}

}  // namespace fp8q
