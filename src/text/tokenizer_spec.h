// Describes a tokenizer as read from its files. The description is the common result of reading
// tokenizer.json, vocab.txt, and vocab.json with merges.txt.
//
// All readers check everything that the tokenizer relies on: tokens and ids are distinct, and
// special tokens exist.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/wordpiece.h"

namespace fp8q {

// Describes one place in the frame around the tokens of a text or a pair, such as [CLS] A [SEP] B
// [SEP].
struct TemplateItem {
  enum class Kind { special, first, second };
  Kind kind;
  int32_t id;  // id of a special token
  int32_t type_id;
};

// In byte-level tokenizers, offsets leave out the white space that tokens begin and end with.
struct TrimOffsets {
  bool add_prefix_space = false;  // the first token may begin with a space not in the text
};

struct TokenizerSpec {
  std::vector<std::pair<std::string, int32_t>> vocabulary;
  std::variant<WordPieceOptions, BpeOptions> model;
  std::vector<NormalizerStep> normalizer;
  PreTokenizerSpec pre_tokenizer;
  std::vector<AddedToken> added_tokens;
  std::vector<TemplateItem> single = {{TemplateItem::Kind::first, 0, 0}};
  std::vector<TemplateItem> pair = {{TemplateItem::Kind::first, 0, 0},
                                    {TemplateItem::Kind::second, 0, 1}};
  std::optional<TrimOffsets> trim_offsets;
  int32_t pad_id = 0;
  std::optional<size_t> max_length;  // tokens of a sequence, frame included, if a file limits them
  bool config_changes = false;       // whether tokenizer_config.json changes a tokenizer.json
  std::vector<std::string> notes;    // sentences for the user: how contradictions were settled
};

// Larger files are refused. The largest vocabularies in use have about 10 MB.
constexpr uint64_t kMaxTokenizerBytes = uint64_t{64} << 20;

// Ids stay below this, so that a hostile file cannot make tables of 2^31 rows.
constexpr int64_t kMaxTokenId = int64_t{1} << 24;

// Holds a file that may be absent; its content is then empty.
struct TokenizerFile {
  std::filesystem::path path;
  std::string bytes;
};

// Holds all files that say something about a tokenizer.
struct TokenizerFiles {
  TokenizerFile vocabulary;  // tokenizer.json, vocab.txt or vocab.json
  TokenizerFile merges;      // merges.txt, for a vocab.json
  TokenizerFile config;      // tokenizer_config.json
  TokenizerFile model;       // config.json, which may name the class of the tokenizer
};

// Reads a Hugging Face tokenizer.json. Its truncation and padding are ignored, because fp8q has its
// own. Where tokenizer_config.json contradicts it, the spec follows `transformers` (overrides.h).
TokenizerSpec parse_tokenizer_json(const TokenizerFiles& files);

// A vocab.txt has one token a line, whose id is the line number from 0. Without a
// tokenizer_config.json, BERT's defaults (lower case, CJK spacing) apply.
TokenizerSpec parse_vocab_txt(const TokenizerFiles& files);

// A vocab.json is an object of tokens with their ids. The merges.txt beside it has one merge a
// line, the earliest first. Without a tokenizer_config.json, RoBERTa's defaults apply. Throws an
// Error (unsupported) if the vocabulary is of another kind of BPE than RoBERTa's, byte-level BPE.
TokenizerSpec parse_vocab_json(const TokenizerFiles& files);

}  // namespace fp8q
