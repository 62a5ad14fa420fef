#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/json_file.h"
#include "text/spec_parts.h"

namespace fp8q {
namespace {

void read_added_tokens(const JsonView& root, TokenIds& ids, TokenizerSpec& spec) {
  const auto tokens = root.find("added_tokens");
  if (!tokens) return;
  for (const JsonView& token : tokens->items()) {
    AddedToken added = parse_added_token(token);
    added.id = static_cast<int32_t>(token.at("id").integer(0, kMaxTokenId - 1));
    check_added_id(token.where(), ids, added);
    ids.emplace(added.content, added.id);
    spec.added_tokens.push_back(std::move(added));
  }
}

// From the padding block where there is one: the only part of it that says something about the
// vocabulary.
int32_t find_pad_id(const JsonView& root, const TokenIds& ids) {
  std::vector<std::string> names = {"[PAD]", "<pad>"};
  if (const auto padding = root.find("padding"); padding && padding->is_object())
    names = {padding->string_or("pad_token", names[0])};
  for (const std::string& name : names)
    if (const auto found = ids.find(name); found != ids.end()) return found->second;
  return 0;
}

}  // namespace

TokenizerSpec parse_tokenizer_json(const std::filesystem::path& path, const std::string& bytes) {
  const nlohmann::json document = parse_json(path, bytes);
  const JsonView root(path, document);
  TokenizerSpec spec;
  read_model(root, spec);
  read_normalizer(root, spec);
  read_pre_tokenizer(root, spec);
  TokenIds ids(spec.vocabulary.begin(), spec.vocabulary.end());
  read_added_tokens(root, ids, spec);
  read_post_processor(root, ids, spec);
  spec.pad_id = find_pad_id(root, ids);
  return spec;
}

}  // namespace fp8q
