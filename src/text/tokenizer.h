// A Tokenizer turns text into the token ids of a BERT-family model.
//
// It gives exactly the ids, type ids and character offsets of the Hugging Face `tokenizers`
// package, from tokenizer.json, vocab.txt, or vocab.json with merges.txt. A tokenizer is immutable.
// Its functions may be called from many threads at once, and copies share their tables. Any byte
// string is a valid text (ill-formed UTF-8 counts as U+FFFD), and offsets always lie inside the
// text. Training and decoding are not goals. Models other than WordPiece and byte-level BPE are
// refused, never guessed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp8q {

// Names the code points [first, second) of the original text.
using CharRange = std::pair<uint32_t, uint32_t>;

// Holds the tokens of one text, without special tokens around them.
struct Tokens {
  std::vector<int32_t> ids;
  std::vector<CharRange> offsets;  // parallel to ids
};

// Holds what a model reads: one text or a pair in its frame of special tokens. The three lists are
// parallel.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;
  std::vector<CharRange> offsets;  // in the token's own text; {0, 0} for the frame
  size_t second_begin = 0;         // first token of the second text of a pair
};

// Names the part [begin, end) of the tokens of a text.
struct TokenSlice {
  const Tokens* tokens;
  size_t begin;
  size_t end;
};

struct TokenizerSpec;

class Tokenizer {
 public:
  // Reads a tokenizer.json, or a vocab.txt, or a vocab.json and the merges.txt beside it, and what
  // the tokenizer_config.json and config.json beside them say about it. The name tells the kind:
  // "vocab.json" exactly is a vocab.json, any other name that ends with ".json" is a
  // tokenizer.json, and every other name is a vocab.txt.
  static Tokenizer load(const std::filesystem::path& path);

  // Returns at most `max_length` tokens, including the frame. Longer input loses tokens at the end
  // of the longer text ("longest_first"). Fails if the frame does not fit into max_length.
  Encoding encode(std::string_view text, std::optional<std::string_view> pair,
                  size_t max_length) const;

  // These are the two halves of encode(), for windows over a long text. tokenize() splits, and
  // assemble() puts the frame around slices.
  Tokens tokenize(std::string_view text) const;
  Encoding assemble(TokenSlice first, std::optional<TokenSlice> second) const;
  size_t frame_size(bool pair) const;

  int32_t vocab_size() const;  // largest id + 1
  int32_t pad_id() const;

  // The longest sequence that the files allow, if they do; encode() does not heed it.
  std::optional<size_t> max_length() const;
  // Sentences for the user: how contradictions between the files were settled.
  const std::vector<std::string>& notes() const;

  // The provenance is the file given to load() and the SHA-256 of all bytes, of it and the files
  // beside it, that make the tokenizer what it is.
  const std::filesystem::path& path() const;
  const std::string& hash() const;
  // Returns one line for people, such as "WordPiece, 30522 tokens, lower case, accents stripped
  // (vocab.txt)".
  std::string describe() const;

 private:
  struct Impl;
  explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fp8q
