#include "json/document.h"
#include "text/overrides.h"
#include "text/spec_readers.h"

namespace fp8q {
namespace {

using json::Value;

void read_added_tokens(const Value& root, TokenIds& ids, TokenizerSpec& spec) {
  const auto tokens = root.find("added_tokens");
  if (!tokens) return;
  for (const Value& token : tokens->items()) {
    AddedToken added = parse_added_token(token);
    added.id = static_cast<int32_t>(token["id"].integer(0, kMaxTokenId - 1));
    check_added_id([&] { return token.where(); }, ids, added);
    ids.emplace(added.content, added.id);
    spec.added_tokens.push_back(std::move(added));
  }
}

// Takes the id from the padding block if there is one. It is the only part of that block that says
// something about the vocabulary.
int32_t find_pad_id(const Value& root, const TokenIds& ids) {
  std::vector<std::string> names = {"[PAD]", "<pad>"};
  if (const auto padding = root.find("padding"); padding && padding->is_object())
    names = {padding->string_or("pad_token", names[0])};
  for (const std::string& name : names)
    if (const auto found = ids.find(name); found != ids.end()) return found->second;
  return 0;
}

}  // namespace

TokenizerSpec parse_tokenizer_json(const TokenizerFiles& files) {
  const json::Document document =
      json::Document::parse(files.vocabulary.bytes, files.vocabulary.path.string());
  const Value root = document.root();
  TokenizerSpec spec;
  read_model(root, spec);
  read_normalizer(root, spec);
  read_pre_tokenizer(root, spec);
  TokenIds ids(spec.vocabulary.begin(), spec.vocabulary.end());
  read_added_tokens(root, ids, spec);
  read_post_processor(root, ids, spec);
  spec.pad_id = find_pad_id(root, ids);
  apply_tokenizer_config(root, files, ids, spec);
  return spec;
}

}  // namespace fp8q
