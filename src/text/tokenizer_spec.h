// What a tokenizer is, as read from its files: the common ground of tokenizer.json and vocab.txt.
//
// Both readers check everything that the tokenizer relies on: tokens and ids are distinct, special
// tokens exist.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "text/added_tokens.h"
#include "text/bert_normalizer.h"
#include "text/wordpiece.h"

namespace fp8q {

// One place of the frame put around the tokens of a text or a pair, as [CLS] A [SEP] B [SEP].
struct TemplateItem {
  enum class Kind { special, first, second };
  Kind kind;
  int32_t id;  // of a special token
  int32_t type_id;
};

struct TokenizerSpec {
  std::vector<std::pair<std::string, int32_t>> vocabulary;
  WordPieceOptions wordpiece;
  NormalizerOptions normalizer;
  std::vector<AddedToken> added_tokens;
  std::vector<TemplateItem> single;
  std::vector<TemplateItem> pair;
  int32_t pad_id = 0;
};

// Larger files are refused: the largest vocabularies in use have about 10 MB.
constexpr uint64_t kMaxTokenizerBytes = uint64_t{64} << 20;

// Ids stay below this, so that a hostile file cannot make tables of 2^31 rows.
constexpr int64_t kMaxTokenId = int64_t{1} << 24;

// A Hugging Face tokenizer.json. Its truncation and padding are ignored: fp8q has its own. `bytes`
// is the file's content.
TokenizerSpec parse_tokenizer_json(const std::filesystem::path& path, const std::string& bytes);

// A vocab.txt, one token a line, its id the line number from 0. `config` is the content of the
// tokenizer_config.json beside it, or empty; BERT's defaults (lower case, CJK spacing) then apply.
struct VocabFiles {
  std::filesystem::path vocab_path;
  std::string vocab;
  std::filesystem::path config_path;
  std::string config;
};
TokenizerSpec parse_vocab_txt(const VocabFiles& files);

// An element of "added_tokens" or "added_tokens_decoder" without its id.
class JsonView;
AddedToken parse_added_token(const JsonView& token);

// [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with type ids 0 and 1, BERT's frame.
void set_bert_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id);

}  // namespace fp8q
