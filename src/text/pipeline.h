// Runs the stages from a text to its tokens: added tokens, normalizer, pre-tokenizer, model.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"
#include "text/tokenizer_spec.h"
#include "text/wordpiece.h"

namespace fp8q {

class Pipeline {
 public:
  explicit Pipeline(const TokenizerSpec& spec);

  Tokens tokenize(std::string_view text) const;

 private:
  // Holds the memory of one tokenize().
  struct Scratch {
    NormalizedText text;
    std::vector<Word> words;
    std::vector<Word> parts;
    std::vector<Piece> pieces;
    std::string prefixed_word;
    Bpe::Scratch bpe;
  };

  void add_text(std::string_view text, Scratch& scratch, Tokens& out) const;
  void add_words(size_t begin, size_t end, Scratch& scratch, Tokens& out) const;
  void add_word(const WordPiece& model, const Word& word, Scratch& scratch, Tokens& out) const;
  void add_word(const Bpe& model, const Word& word, Scratch& scratch, Tokens& out) const;
  void add_added(const AddedToken& token, std::string_view text, CharRange range,
                 Tokens& out) const;
  CharRange trimmed(CharRange range, uint32_t leading, uint32_t trailing, bool first) const;

  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  std::variant<WordPiece, Bpe> model_;
  std::optional<TrimOffsets> trim_;
  AddedTokenMatcher original_tokens_;    // searched for in the original text
  AddedTokenMatcher normalized_tokens_;  // searched for after normalization
};

}  // namespace fp8q
