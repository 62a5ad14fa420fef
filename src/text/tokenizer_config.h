// Reads the parts of a tokenizer_config.json that readers of the files beside it use.
#pragma once

#include <string>

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

// Reads "model_max_length" into the spec. The huge number that stands for no limit is no limit.
void read_max_length(const json::Value& root, TokenizerSpec& spec);

// Replaces the names of the special tokens that the file gives.
void read_special_tokens(const json::Value& root, SpecialTokens& special);

// Appends "added_tokens_decoder" to the added tokens.
void read_added_tokens_decoder(const json::Value& root, TokenizerSpec& spec);

}  // namespace fp8q
