// WordPiece splits one word into pieces of a vocabulary, greedily with the longest match first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/piece.h"
#include "text/trie.h"

namespace fp8q {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string continuing_prefix = "##";
  size_t max_word_chars = 100;  // a longer word is unknown as a whole
};

class WordPiece {
 public:
  // `vocabulary` has distinct tokens and ids, and contains options.unk_token.
  WordPiece(const std::vector<std::pair<std::string, int32_t>>& vocabulary,
            const WordPieceOptions& options);

  // Appends the pieces of `word`, which is not empty, or one unknown token if it cannot be split.
  void split(std::string_view word, std::vector<Piece>& out) const;

 private:
  bool too_long(std::string_view word) const;

  size_t max_word_chars_;
  int32_t unk_id_ = Trie::kNone;
  Trie whole_;       // every token
  Trie continuing_;  // tokens that have the continuing prefix, stored without it
};

}  // namespace fp8q
