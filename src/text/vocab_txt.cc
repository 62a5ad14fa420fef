#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text_check.h"
#include "json/document.h"
#include "text/spec_readers.h"
#include "text/tokenizer_class.h"
#include "text/tokenizer_config.h"

namespace fp8q {
namespace {

// These tokenizer classes of `transformers` frame and split texts exactly as BERT's does.
constexpr std::array<std::string_view, 12> kBertLike = {
    "Bert",   "DistilBert", "Electra",   "MobileBert", "SqueezeBert",        "ConvBert",
    "Lxmert", "LayoutLM",   "RetriBert", "Realm",      "DPRQuestionEncoder", "DPRContextEncoder",
};

void read_config(const TokenizerFiles& files, TokenizerSpec& spec, SpecialTokens& special) {
  check_tokenizer_class(files, kBertLike, "vocab.txt");
  NormalizerOptions n;
  if (!files.config.bytes.empty()) {
    const json::Document document =
        json::Document::parse(files.config.bytes, files.config.path.string());
    const json::Value root = document.root();
    n.lowercase = root.boolean_or("do_lower_case", true);
    n.strip_accents = root.boolean_or("strip_accents", n.lowercase);
    n.handle_chinese_chars = root.boolean_or("tokenize_chinese_chars", true);
    read_special_tokens(root, special);
    read_added_tokens_decoder(root, spec);
    read_max_length(root, spec);
  }
  spec.normalizer = {n};
  spec.pre_tokenizer.rules = {SplitRule::bert};
}

// Returns the tokens with their lines, from 0.
TokenIds read_lines(const TokenizerFiles& files, TokenizerSpec& spec) {
  TokenIds lines;
  std::string_view rest =
      require_text(printable(files.vocabulary.path.string()), files.vocabulary.bytes);
  for (int64_t line = 0; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string token(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (token.ends_with('\r')) token.pop_back();
    if (line >= kMaxTokenId)
      fail(ErrorCode::limit, "{}: has more than {} lines",
           printable(files.vocabulary.path.string()), kMaxTokenId);
    if (token.empty()) continue;  // uses up an id, but is no token
    const auto [other, fresh] = lines.emplace(token, static_cast<int32_t>(line));
    if (!fresh)
      fail(ErrorCode::bad_data, "{}: line {}: the token \"{}\" stands in line {} already",
           printable(files.vocabulary.path.string()), line + 1, printable(token),
           other->second + 1);
    spec.vocabulary.emplace_back(std::move(token), static_cast<int32_t>(line));
  }
  if (lines.empty())
    fail(ErrorCode::bad_data, "{}: line 1: expected a token, the file has none",
         printable(files.vocabulary.path.string()));
  return lines;
}

int32_t required_line(const TokenizerFiles& files, const TokenIds& lines,
                      const std::string& token) {
  const auto found = lines.find(token);
  if (found == lines.end())
    fail(ErrorCode::bad_data,
         "{}: none of the {} lines is the special token \"{}\"; is this the vocabulary of a BERT "
         "model?",
         printable(files.vocabulary.path.string()), lines.size(), printable(token));
  return found->second;
}

}  // namespace

TokenizerSpec parse_vocab_txt(const TokenizerFiles& files) {
  TokenizerSpec spec;
  SpecialTokens special = {"[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"};
  read_config(files, spec, special);
  const TokenIds lines = read_lines(files, spec);
  spec.model = WordPieceOptions{.unk_token = special.unk};
  set_bert_templates(spec, required_line(files, lines, special.cls),
                     required_line(files, lines, special.sep));
  required_line(files, lines, special.unk);
  spec.pad_id = required_line(files, lines, special.pad);
  for (const AddedToken& added : spec.added_tokens)
    check_added_id([&] { return printable(files.config.path.string()); }, lines, added);
  for (const std::string* token :
       {&special.pad, &special.unk, &special.cls, &special.sep, &special.mask})
    if (const auto found = lines.find(*token); found != lines.end())
      spec.added_tokens.push_back({.content = *token, .id = found->second});
  return spec;
}

}  // namespace fp8q
