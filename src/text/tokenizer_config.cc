#include "text/tokenizer_config.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "text/spec_readers.h"

namespace fp8q {

using json::Value;

void check_tokenizer_class(const Value& root, std::span<const std::string_view> classes,
                           std::string_view file) {
  const auto value = root.find("tokenizer_class");
  if (!value) return;
  std::string name = value->string();
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (name == "PreTrainedTokenizer" || name == "Tokenizers" || name == "TokenizersBackend") return;
  constexpr std::string_view kSuffix = "Tokenizer";
  if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  if (std::ranges::find(classes, name) == classes.end())
    fail(ErrorCode::unsupported,
         "{}: tokenizer_class \"{}\" with a {} is not supported; fp8q handles {}Tokenizer and its "
         "relatives. Convert the tokenizer to a tokenizer.json and give it with --tokenizer PATH",
         root.where(), printable(name), file, classes.front());
}

namespace {

// A special token is written as a string or as an object with "content".
void read_special(const Value& root, const char* name, std::string& token) {
  const auto value = root.find(name);
  if (!value) return;
  token = value->is_object() ? (*value)["content"].string() : value->string();
}

}  // namespace

void read_special_tokens(const Value& root, SpecialTokens& special) {
  read_special(root, "unk_token", special.unk);
  read_special(root, "cls_token", special.cls);
  read_special(root, "sep_token", special.sep);
  read_special(root, "pad_token", special.pad);
  read_special(root, "mask_token", special.mask);
}

// Reads "added_tokens_decoder": {"100": {"content": "[UNK]", ...}}.
void read_added_tokens_decoder(const Value& root, TokenizerSpec& spec) {
  const auto tokens = root.find("added_tokens_decoder");
  if (!tokens) return;
  for (const auto& [key, token] : tokens->members()) {
    AddedToken added = parse_added_token(token);
    const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), added.id);
    if (error != std::errc() || stop != key.data() + key.size() || added.id < 0 ||
        added.id >= kMaxTokenId)
      token.reject("expected a token id as key");
    spec.added_tokens.push_back(std::move(added));
  }
}

}  // namespace fp8q
