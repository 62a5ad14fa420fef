// The components "normalizer" and "pre_tokenizer" of a tokenizer.json. Both may be absent, and both
// may be a Sequence of others.
#include <array>
#include <utility>

#include "base/error.h"
#include "text/spec_parts.h"

namespace fp8q {
namespace {

constexpr const char* kNormalizers =
    "BertNormalizer, Lowercase, StripAccents, NFC, NFD, NFKC, NFKD and Sequence";
constexpr const char* kPreTokenizers =
    "BertPreTokenizer, ByteLevel, Whitespace, WhitespaceSplit, Punctuation, Digits and Sequence";

constexpr std::array<std::pair<std::string_view, TextRule>, 6> kTextRules = {{
    {"Lowercase", TextRule::lowercase},
    {"StripAccents", TextRule::strip_accents},
    {"NFC", TextRule::nfc},
    {"NFD", TextRule::nfd},
    {"NFKC", TextRule::nfkc},
    {"NFKD", TextRule::nfkd},
}};

NormalizerOptions bert_normalizer(const JsonView& part) {
  NormalizerOptions out;
  out.clean_text = part.boolean_or("clean_text", true);
  out.handle_chinese_chars = part.boolean_or("handle_chinese_chars", true);
  out.lowercase = part.boolean_or("lowercase", true);
  out.strip_accents = part.boolean_or("strip_accents", out.lowercase);
  return out;
}

void add_normalizer(const JsonView& part, std::vector<NormalizerStep>& steps) {
  const std::string type = part.at("type").string();
  if (type == "Sequence") {
    for (const JsonView& step : part.at("normalizers").items()) add_normalizer(step, steps);
    return;
  }
  if (type == "BertNormalizer") {
    steps.emplace_back(bert_normalizer(part));
    return;
  }
  for (const auto& [name, rule] : kTextRules)
    if (type == name) {
      steps.emplace_back(rule);
      return;
    }
  refuse_type(part, type, kNormalizers);
}

SplitRule punctuation(const JsonView& part) {
  if (part.string_or("behavior", "Isolated") != "Isolated")
    refuse_option(part, "behavior", "\"Isolated\"");
  return SplitRule::punctuation;
}

void add_pre_tokenizer(const JsonView& part, PreTokenizerSpec& spec) {
  const std::string type = part.at("type").string();
  if (type == "Sequence") {
    for (const JsonView& step : part.at("pretokenizers").items()) add_pre_tokenizer(step, spec);
    return;
  }
  if (spec.byte_level)
    fail(ErrorCode::unsupported,
         "{}: {} after ByteLevel is not supported; fp8q handles ByteLevel "
         "as the last pre-tokenizer",
         part.where(), printable(type));
  if (type == "ByteLevel") {
    spec.byte_level = ByteLevelRule{part.boolean_or("add_prefix_space", true),
                                    part.boolean_or("use_regex", true)};
  } else if (type == "BertPreTokenizer") {
    spec.rules.push_back(SplitRule::bert);
  } else if (type == "Whitespace") {
    spec.rules.push_back(SplitRule::words);
  } else if (type == "WhitespaceSplit") {
    spec.rules.push_back(SplitRule::white_space);
  } else if (type == "Punctuation") {
    spec.rules.push_back(punctuation(part));
  } else if (type == "Digits") {
    const bool each = part.boolean_or("individual_digits", false);
    spec.rules.push_back(each ? SplitRule::each_digit : SplitRule::digits);
  } else {
    refuse_type(part, type, kPreTokenizers);
  }
}

}  // namespace

void read_normalizer(const JsonView& root, TokenizerSpec& spec) {
  if (const auto part = root.find("normalizer")) add_normalizer(*part, spec.normalizer);
}

void read_pre_tokenizer(const JsonView& root, TokenizerSpec& spec) {
  const auto part = root.find("pre_tokenizer");
  if (part) add_pre_tokenizer(*part, spec.pre_tokenizer);
  const bool bpe = std::holds_alternative<BpeOptions>(spec.model);
  if (bpe == spec.pre_tokenizer.byte_level.has_value()) return;
  fail(ErrorCode::unsupported, "{}: {}", part ? part->where() : root.where() + ": pre_tokenizer",
       bpe ? "a BPE model without the pre-tokenizer ByteLevel is not supported; fp8q handles "
             "byte-level BPE, as GPT-2 and RoBERTa have it"
           : "the pre-tokenizer ByteLevel with a WordPiece model is not supported");
}

}  // namespace fp8q
