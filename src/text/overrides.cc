#include "text/overrides.h"

#include <algorithm>

#include "base/error.h"
#include "json/document.h"
#include "text/tokenizer_class.h"
#include "text/tokenizer_config.h"

namespace fp8q {
namespace {

using json::Value;

std::optional<Value> component_of_type(const Value& root, const char* name, std::string_view type) {
  const auto component = root.find(name);
  if (!component || component->string_or("type", "") != type) return std::nullopt;
  return component;
}

// Returns a flag that the file states.
std::optional<bool> stated(const Value& config, const char* key) {
  const auto value = config.find(key);
  if (!value) return std::nullopt;
  return value->boolean();
}

class Settlement {
 public:
  Settlement(const TokenizerFiles& files, TokenizerSpec& spec) : files_(files), spec_(spec) {}

  // Sets a part of the spec to what the file states. `effective` says whether the class heeds it.
  void settle(const char* key, bool& value, bool stated, bool effective) {
    if (value == stated) return;
    note(fmt::format("{} is {}", key, stated), effective);
    if (!effective) return;
    value = stated;
    spec_.config_changes = true;
  }

  void note(const std::string& contradiction, bool effective) {
    const std::string config = printable(files_.config.path.filename().string());
    const std::string json = printable(files_.vocabulary.path.filename().string());
    spec_.notes.push_back(fmt::format("{}: {}, which contradicts {}; {} counts, as in transformers",
                                      config, contradiction, json, effective ? config : json));
  }

 private:
  const TokenizerFiles& files_;
  TokenizerSpec& spec_;
};

void settle_normalizer(const Value& root, const Value& config, bool effective, TokenizerSpec& spec,
                       Settlement& settlement) {
  const auto component = component_of_type(root, "normalizer", "BertNormalizer");
  if (!component) return;
  auto& now = std::get<NormalizerOptions>(spec.normalizer.front());
  if (const auto lower = stated(config, "do_lower_case"))
    settlement.settle("do_lower_case", now.lowercase, *lower, effective);
  // Without a value of its own, in either file, the stripping of accents follows the case.
  if (!component->find("strip_accents")) now.strip_accents = now.lowercase;
  if (config.has("strip_accents"))
    settlement.settle("strip_accents", now.strip_accents,
                      stated(config, "strip_accents").value_or(now.lowercase), effective);
  if (const auto cjk = stated(config, "tokenize_chinese_chars"))
    settlement.settle("tokenize_chinese_chars", now.handle_chinese_chars, *cjk, effective);
}

void settle_byte_level(const Value& root, const Value& config, TokenizerSpec& spec,
                       Settlement& settlement) {
  const auto prefix = stated(config, "add_prefix_space");
  if (prefix && component_of_type(root, "pre_tokenizer", "ByteLevel"))
    settlement.settle("add_prefix_space", spec.pre_tokenizer.byte_level->add_prefix_space, *prefix,
                      true);
  if (!component_of_type(root, "post_processor", "RobertaProcessing")) return;
  if (const auto trim = stated(config, "trim_offsets")) {
    bool trims = spec.trim_offsets.has_value();
    settlement.settle("trim_offsets", trims, *trim, true);
    if (!trims) spec.trim_offsets.reset();
    else if (!spec.trim_offsets) spec.trim_offsets = TrimOffsets{};
  }
  if (prefix && spec.trim_offsets) spec.trim_offsets->add_prefix_space = *prefix;
}

void compare_special_tokens(const Value& config, const TokenIds& ids, const TokenizerSpec& spec,
                            Settlement& settlement) {
  SpecialTokens special;
  read_special_tokens(config, special);
  const auto in_frame = [&](const std::string& token) {
    const auto found = ids.find(token);
    return found != ids.end() && std::ranges::any_of(spec.single, [&](const TemplateItem& item) {
             return item.kind == TemplateItem::Kind::special && item.id == found->second;
           });
  };
  for (const auto& [key, token] :
       {std::pair("cls_token", &special.cls), {"sep_token", &special.sep}})
    if (!token->empty() && !in_frame(*token))
      settlement.note(
          fmt::format("{} is \"{}\", which is not around texts", key, printable(*token)), false);
  const auto* word_piece = std::get_if<WordPieceOptions>(&spec.model);
  if (word_piece && !special.unk.empty() && special.unk != word_piece->unk_token)
    settlement.note(fmt::format("unk_token is \"{}\"", printable(special.unk)), false);
}

}  // namespace

void apply_tokenizer_config(const Value& root, const TokenizerFiles& files, const TokenIds& ids,
                            TokenizerSpec& spec) {
  if (files.config.bytes.empty()) return;
  const json::Document document =
      json::Document::parse(files.config.bytes, files.config.path.string());
  const Value config = document.root();
  const auto named = find_tokenizer_class(files);
  Settlement settlement(files, spec);
  settle_normalizer(root, config, !named || !named->name.empty(), spec, settlement);
  settle_byte_level(root, config, spec, settlement);
  compare_special_tokens(config, ids, spec, settlement);
  read_max_length(config, spec);
}

}  // namespace fp8q
