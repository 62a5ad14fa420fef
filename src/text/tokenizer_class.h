// Finds the class that `transformers` would read a tokenizer with, in every file that may name it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer_spec.h"

namespace fp8q {

struct TokenizerClass {
  std::string name;  // "Bert" of "BertTokenizerFast"; empty if a class for any tokenizer is named
  std::string told;  // who says so: `<file>: tokenizer_class "BertTokenizerFast"`
};

// Looks for "tokenizer_class" in tokenizer_config.json, then in config.json, then for a
// "model_type" whose tokenizer is none of BERT's and RoBERTa's relatives.
std::optional<TokenizerClass> find_tokenizer_class(const TokenizerFiles& files);

// Throws an Error (unsupported) if the files name a class that is not one of `classes`. `file` is
// the vocabulary's name, for the message.
void check_tokenizer_class(const TokenizerFiles& files, std::span<const std::string_view> classes,
                           std::string_view file);

}  // namespace fp8q
