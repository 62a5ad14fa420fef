// Reads the parts of a tokenizer_config.json that the readers of vocabulary files beside it use.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "json/value.h"
#include "text/tokenizer_spec.h"

namespace fp8q {

struct SpecialTokens {
  std::string unk;
  std::string cls;
  std::string sep;
  std::string pad;
  std::string mask;
};

// Fails if there is a "tokenizer_class" that is not one of `classes`, which are named without
// "Tokenizer" and "TokenizerFast". `file` is the vocabulary's name, for the message.
void check_tokenizer_class(const json::Value& root, std::span<const std::string_view> classes,
                           std::string_view file);

// Replaces the names of the special tokens that the file gives.
void read_special_tokens(const json::Value& root, SpecialTokens& special);

// Appends "added_tokens_decoder" to the added tokens.
void read_added_tokens_decoder(const json::Value& root, TokenizerSpec& spec);

}  // namespace fp8q
