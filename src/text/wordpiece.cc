#include "text/wordpiece.h"

#include "base/assert.h"
#include "base/utf8.h"

namespace fp8q {

WordPiece::WordPiece(const std::vector<std::pair<std::string, int32_t>>& vocabulary,
                     const WordPieceOptions& options)
    : max_word_chars_(options.max_word_chars) {
  std::vector<Trie::Entry> whole;
  std::vector<Trie::Entry> continuing;
  for (const auto& [token, id] : vocabulary) {
    if (token == options.unk_token) unk_id_ = id;
    std::string_view text = token;
    if (!text.empty()) whole.emplace_back(text, id);
    if (!text.starts_with(options.continuing_prefix)) continue;
    text.remove_prefix(options.continuing_prefix.size());
    if (!text.empty()) continuing.emplace_back(text, id);
  }
  FP8Q_ASSERT(unk_id_ != Trie::kNone);
  whole_ = Trie(std::move(whole));
  continuing_ = Trie(std::move(continuing));
}

bool WordPiece::too_long(std::string_view word) const {
  // Counting is needed only if there are more bytes than allowed characters.
  return word.size() > max_word_chars_ && count_code_points(word) > max_word_chars_;
}

void WordPiece::split(std::string_view word, std::vector<Piece>& out) const {
  const size_t before = out.size();
  bool known = !too_long(word);
  for (size_t begin = 0; known && begin < word.size();) {
    const Trie& pieces = begin == 0 ? whole_ : continuing_;
    const Trie::Match match = pieces.longest_prefix(word.substr(begin));
    known = match.value != Trie::kNone;
    out.push_back({match.value, begin, begin + match.length});
    begin += match.length;
  }
  if (known) return;
  out.resize(before);
  out.push_back({unk_id_, 0, word.size()});
}

}  // namespace fp8q
