// Reads RoBERTa's tokenizer from vocab.json and merges.txt.
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

// These tokenizer classes of `transformers` frame and split texts exactly as RoBERTa's does.
constexpr std::array<std::string_view, 5> kRobertaLike = {"Roberta", "Longformer", "Bart", "LED",
                                                          "Mvp"};

struct Config {
  SpecialTokens special = {"<unk>", "<s>", "</s>", "<pad>", "<mask>"};
  bool add_prefix_space = false;
  bool trim_offsets = true;
};

Config read_config(const TokenizerFiles& files, TokenizerSpec& spec) {
  check_tokenizer_class(files, kRobertaLike, "vocab.json");
  Config config;
  if (files.config.bytes.empty()) return config;
  const json::Document document =
      json::Document::parse(files.config.bytes, files.config.path.string());
  const json::Value root = document.root();
  config.add_prefix_space = root.boolean_or("add_prefix_space", false);
  config.trim_offsets = root.boolean_or("trim_offsets", true);
  read_special_tokens(root, config.special);
  read_added_tokens_decoder(root, spec);
  read_max_length(root, spec);
  return config;
}

// Returns what a vocabulary is that is not byte-level, by the marks that its tokens bear.
std::string kind_of(const TokenIds& ids) {
  const auto any = [&](auto&& marked) {
    return std::ranges::any_of(ids, [&](const auto& entry) { return marked(entry.first); });
  };
  if (any([](const std::string& token) { return token.ends_with("</w>"); }))
    return "marks the ends of words with \"</w>\", as XLM, FlauBERT and HerBERT do";
  if (any([](const std::string& token) { return token.ends_with("@@"); }))
    return "marks tokens within words with \"@@\", as PhoBERT and BERTweet do";
  if (any([](const std::string& token) { return token.starts_with("\u2581"); }))
    return "marks the beginnings of words with \"\u2581\", as SentencePiece does";
  return "has no token for some of the 256 bytes";
}

void require_byte_level(const TokenizerFiles& files, const TokenIds& ids) {
  if (has_every_byte(ids)) return;
  fail(ErrorCode::unsupported,
       "{}: is no vocabulary of byte-level BPE, which fp8q handles, since it {}; convert the "
       "tokenizer to a tokenizer.json that fp8q handles and give it with --tokenizer PATH",
       printable(files.vocabulary.path.string()), kind_of(ids));
}

// Reads one merge per line: two tokens with a space between them. The first line may give a
// version.
std::vector<Merge> read_merges(const TokenizerFiles& files, const TokenIds& ids) {
  std::vector<Merge> merges;
  std::string_view rest = require_text(printable(files.merges.path.string()), files.merges.bytes);
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const Place where = [&] {
      return fmt::format("{}: line {}", printable(files.merges.path.string()), number);
    };
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
      fail(ErrorCode::bad_data, "{}: expected two tokens with a space between them, found \"{}\"",
           where(), printable(line));
    merges.push_back(resolve_merge(where, ids, std::string(line.substr(0, space)),
                                   std::string(line.substr(space + 1))));
  }
  return merges;
}

int32_t required(const TokenizerFiles& files, const TokenIds& ids, const std::string& token) {
  const auto found = ids.find(token);
  if (found == ids.end())
    fail(ErrorCode::bad_data,
         "{}: has no special token \"{}\"; is this the vocabulary of a RoBERTa model? Others need "
         "a tokenizer.json",
         printable(files.vocabulary.path.string()), printable(token));
  return found->second;
}

}  // namespace

TokenizerSpec parse_vocab_json(const TokenizerFiles& files) {
  TokenizerSpec spec;
  const Config config = read_config(files, spec);
  spec.vocabulary = read_vocabulary(
      json::Document::parse(files.vocabulary.bytes, files.vocabulary.path.string()).root());
  const TokenIds ids(spec.vocabulary.begin(), spec.vocabulary.end());
  require_byte_level(files, ids);
  const SpecialTokens& special = config.special;
  spec.model =
      BpeOptions{.merges = read_merges(files, ids),
                 .unk_id = byte_level_unk([&] { return printable(files.vocabulary.path.string()); },
                                          ids, special.unk)};
  spec.pre_tokenizer.byte_level = ByteLevelRule{.add_prefix_space = config.add_prefix_space};
  if (config.trim_offsets) spec.trim_offsets = TrimOffsets{config.add_prefix_space};
  set_roberta_templates(spec, required(files, ids, special.cls), required(files, ids, special.sep));
  spec.pad_id = required(files, ids, special.pad);
  for (const AddedToken& added : spec.added_tokens)
    check_added_id([&] { return printable(files.config.path.string()); }, ids, added);
  for (const std::string* token :
       {&special.pad, &special.unk, &special.cls, &special.sep, &special.mask})
    if (const auto found = ids.find(*token); found != ids.end())
      spec.added_tokens.push_back(
          {.content = *token, .id = found->second, .lstrip = token == &special.mask});
  return spec;
}

}  // namespace fp8q
