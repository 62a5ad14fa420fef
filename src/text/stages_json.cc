// Reads the components "normalizer" and "pre_tokenizer" of a tokenizer.json. Both may be absent,
// and both may be a Sequence of others.
#include <array>
#include <utility>

#include "base/error.h"
#include "text/spec_readers.h"

namespace fp8q {
namespace {

using json::Value;

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

NormalizerOptions bert_normalizer(const Value& component) {
  NormalizerOptions out;
  out.clean_text = component.boolean_or("clean_text", true);
  out.handle_chinese_chars = component.boolean_or("handle_chinese_chars", true);
  out.lowercase = component.boolean_or("lowercase", true);
  out.strip_accents = component.boolean_or("strip_accents", out.lowercase);
  return out;
}

void add_normalizer(const Value& component, std::vector<NormalizerStep>& steps) {
  const std::string type = component["type"].string();
  if (type == "Sequence") {
    for (const Value& step : component["normalizers"].items()) add_normalizer(step, steps);
    return;
  }
  if (type == "BertNormalizer") {
    steps.emplace_back(bert_normalizer(component));
    return;
  }
  for (const auto& [name, rule] : kTextRules)
    if (type == name) {
      steps.emplace_back(rule);
      return;
    }
  refuse_type(component, type, kNormalizers);
}

SplitRule punctuation(const Value& component) {
  if (component.string_or("behavior", "Isolated") != "Isolated")
    refuse_option(component, "behavior", "\"Isolated\"");
  return SplitRule::punctuation;
}

void add_pre_tokenizer(const Value& component, PreTokenizerSpec& spec) {
  const std::string type = component["type"].string();
  if (type == "Sequence") {
    for (const Value& step : component["pretokenizers"].items()) add_pre_tokenizer(step, spec);
    return;
  }
  if (spec.byte_level)
    fail(ErrorCode::unsupported,
         "{}: {} after ByteLevel is not supported; fp8q handles ByteLevel "
         "as the last pre-tokenizer",
         component.where(), printable(type));
  if (type == "ByteLevel") {
    spec.byte_level = ByteLevelRule{component.boolean_or("add_prefix_space", true),
                                    component.boolean_or("use_regex", true)};
  } else if (type == "BertPreTokenizer") {
    spec.rules.push_back(SplitRule::bert);
  } else if (type == "Whitespace") {
    spec.rules.push_back(SplitRule::words);
  } else if (type == "WhitespaceSplit") {
    spec.rules.push_back(SplitRule::white_space);
  } else if (type == "Punctuation") {
    spec.rules.push_back(punctuation(component));
  } else if (type == "Digits") {
    const bool each = component.boolean_or("individual_digits", false);
    spec.rules.push_back(each ? SplitRule::each_digit : SplitRule::digits);
  } else {
    refuse_type(component, type, kPreTokenizers);
  }
}

}  // namespace

void read_normalizer(const Value& root, TokenizerSpec& spec) {
  if (const auto component = root.find("normalizer")) add_normalizer(*component, spec.normalizer);
}

void read_pre_tokenizer(const Value& root, TokenizerSpec& spec) {
  const auto component = root.find("pre_tokenizer");
  if (component) add_pre_tokenizer(*component, spec.pre_tokenizer);
  const bool bpe = std::holds_alternative<BpeOptions>(spec.model);
  if (bpe == spec.pre_tokenizer.byte_level.has_value()) return;
  fail(ErrorCode::unsupported, "{}: {}",
       component ? component->where() : root.where() + ": pre_tokenizer",
       bpe ? "a BPE model without the pre-tokenizer ByteLevel is not supported; fp8q handles "
             "byte-level BPE, as GPT-2 and RoBERTa have it"
           : "the pre-tokenizer ByteLevel with a WordPiece model is not supported");
}

}  // namespace fp8q
