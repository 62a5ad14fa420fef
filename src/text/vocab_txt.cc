#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.h"
#include "text/json_file.h"
#include "text/json_view.h"
#include "text/tokenizer_spec.h"
#include "text/utf8.h"

namespace fp8q {
namespace {

// Tokenizer classes of `transformers` that frame and split texts exactly as BERT's does.
constexpr std::array<std::string_view, 12> kBertLike = {
    "Bert",   "DistilBert", "Electra",   "MobileBert", "SqueezeBert",        "ConvBert",
    "Lxmert", "LayoutLM",   "RetriBert", "Realm",      "DPRQuestionEncoder", "DPRContextEncoder",
};

struct SpecialTokens {
  std::string unk = "[UNK]";
  std::string cls = "[CLS]";
  std::string sep = "[SEP]";
  std::string pad = "[PAD]";
  std::string mask = "[MASK]";
};

void check_class(const JsonView& root) {
  std::string name = root.string_or("tokenizer_class", "BertTokenizer");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (name == "PreTrainedTokenizer" || name == "Tokenizers" || name == "TokenizersBackend") return;
  constexpr std::string_view kSuffix = "Tokenizer";
  if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  if (std::find(kBertLike.begin(), kBertLike.end(), name) == kBertLike.end())
    fail(ErrorCode::unsupported,
         "{}: tokenizer_class \"{}\" with a vocab.txt is not supported; fp8q handles BertTokenizer "
         "and its relatives. Convert the tokenizer to a tokenizer.json and give it with "
         "--tokenizer PATH",
         root.where(), printable(name));
}

// A special token is written as a string or as an object with "content".
void read_special(const JsonView& root, const char* name, std::string& token) {
  const auto value = root.find(name);
  if (!value) return;
  token = value->is_object() ? value->at("content").string() : value->string();
}

// "added_tokens_decoder": {"100": {"content": "[UNK]", ...}}
void read_added_tokens(const JsonView& root, TokenizerSpec& spec) {
  const auto tokens = root.find("added_tokens_decoder");
  if (!tokens) return;
  for (const auto& [key, token] : tokens->members()) {
    AddedToken added = parse_added_token(token);
    const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), added.id);
    if (error != std::errc() || stop != key.data() + key.size() || added.id < 0 ||
        added.id >= kMaxTokenId)
      fail(ErrorCode::bad_data, "{}: expected a token id as key", token.where());
    spec.added_tokens.push_back(std::move(added));
  }
}

void read_config(const VocabFiles& files, TokenizerSpec& spec, SpecialTokens& special) {
  if (files.config.empty()) return;
  const nlohmann::json document = parse_json(files.config_path, files.config);
  const JsonView root(files.config_path, document);
  check_class(root);
  NormalizerOptions& n = spec.normalizer;
  n.lowercase = root.boolean_or("do_lower_case", true);
  n.strip_accents = root.boolean_or("strip_accents", n.lowercase);
  n.handle_chinese_chars = root.boolean_or("tokenize_chinese_chars", true);
  read_special(root, "unk_token", special.unk);
  read_special(root, "cls_token", special.cls);
  read_special(root, "sep_token", special.sep);
  read_special(root, "pad_token", special.pad);
  read_special(root, "mask_token", special.mask);
  read_added_tokens(root, spec);
}

using Lines = std::unordered_map<std::string, int32_t>;  // token -> its line, from 0

Lines read_lines(const VocabFiles& files, TokenizerSpec& spec) {
  Lines lines;
  std::string_view rest = without_bom(files.vocab);
  for (int64_t line = 0; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string token(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (token.ends_with('\r')) token.pop_back();
    if (line >= kMaxTokenId)
      fail(ErrorCode::limit, "{}: has more than {} lines", printable(files.vocab_path.string()),
           kMaxTokenId);
    if (token.empty()) continue;  // takes an id, as everywhere, but is no token
    const auto [other, fresh] = lines.emplace(token, static_cast<int32_t>(line));
    if (!fresh)
      fail(ErrorCode::bad_data, "{}: line {}: the token \"{}\" stands in line {} already",
           printable(files.vocab_path.string()), line + 1, printable(token), other->second + 1);
    spec.vocabulary.emplace_back(std::move(token), static_cast<int32_t>(line));
  }
  if (lines.empty())
    fail(ErrorCode::bad_data, "{}: line 1: expected a token, the file has none",
         printable(files.vocab_path.string()));
  return lines;
}

int32_t required(const VocabFiles& files, const Lines& lines, const std::string& token) {
  const auto found = lines.find(token);
  if (found == lines.end())
    fail(ErrorCode::bad_data,
         "{}: none of the {} lines is the special token \"{}\"; is this the vocabulary of a BERT "
         "model?",
         printable(files.vocab_path.string()), lines.size(), printable(token));
  return found->second;
}

}  // namespace

void set_bert_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id) {
  using Kind = TemplateItem::Kind;
  const auto special = [](int32_t id, int32_t type) {
    return TemplateItem{.kind = Kind::special, .id = id, .type_id = type};
  };
  spec.single = {special(cls_id, 0), {Kind::first, 0, 0}, special(sep_id, 0)};
  spec.pair = spec.single;
  spec.pair.push_back({Kind::second, 0, 1});
  spec.pair.push_back(special(sep_id, 1));
}

TokenizerSpec parse_vocab_txt(const VocabFiles& files) {
  TokenizerSpec spec;
  SpecialTokens special;
  read_config(files, spec, special);
  const Lines lines = read_lines(files, spec);
  spec.wordpiece.unk_token = special.unk;
  set_bert_templates(spec, required(files, lines, special.cls),
                     required(files, lines, special.sep));
  required(files, lines, special.unk);
  spec.pad_id = required(files, lines, special.pad);
  for (const AddedToken& added : spec.added_tokens)
    if (const auto line = lines.find(added.content);
        line != lines.end() && line->second != added.id)
      fail(ErrorCode::bad_data,
           "{}: the added token \"{}\" has the id {}, but {} in the vocabulary",
           printable(files.config_path.string()), printable(added.content), added.id, line->second);
  for (const std::string* token :
       {&special.pad, &special.unk, &special.cls, &special.sep, &special.mask})
    if (const auto found = lines.find(*token); found != lines.end())
      spec.added_tokens.push_back({.content = *token, .id = found->second, .normalized = false});
  return spec;
}

}  // namespace fp8q
