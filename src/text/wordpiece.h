// WordPiece: a vocabulary, and greedy longest-match-first splitting of one word into its pieces.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fp8q {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_prefix = "##";
  size_t max_word_chars = 100;  // a longer word is unknown as a whole
};

// A piece of a word: bytes [begin, end) of it.
struct WordPieceMatch {
  int32_t id;
  size_t begin;
  size_t end;
};

class WordPiece {
 public:
  // `vocabulary` has distinct tokens and ids, and contains options.unk_token.
  WordPiece(const std::vector<std::pair<std::string, int32_t>>& vocabulary,
            WordPieceOptions options);

  // Appends the pieces of `word`, which is not empty; one unknown token if it cannot be split.
  void split(std::string_view word, std::vector<WordPieceMatch>& out) const;

  std::optional<int32_t> id_of(std::string_view token) const;

  const WordPieceOptions& options() const { return options_; }

 private:
  using Ids = std::unordered_map<std::string_view, int32_t>;

  bool too_long(std::string_view word) const;

  WordPieceOptions options_;
  std::deque<std::string> tokens_;  // what the keys of the maps refer to
  Ids whole_;                       // every token
  Ids continuing_;                  // tokens with the continuing prefix, without it
  size_t longest_ = 0;              // bytes of the longest token
  int32_t unk_id_ = 0;
};

}  // namespace fp8q
