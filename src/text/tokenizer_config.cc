#include "text/tokenizer_config.h"

#include <charconv>

#include "text/spec_readers.h"

namespace fp8q {

using json::Value;

void read_max_length(const Value& root, TokenizerSpec& spec) {
  constexpr double kLongest = 1 << 30;
  const auto value = root.find("model_max_length");
  if (!value || !value->is_number()) return;
  const double length = value->number();
  if (length >= 1 && length < kLongest) spec.max_length = static_cast<size_t>(length);
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
