#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/error.h"
#include "text/json_file.h"
#include "text/json_view.h"
#include "text/tokenizer_spec.h"

namespace fp8q {
namespace {

// The largest max_input_chars_per_word accepted: splitting a word takes time quadratic in its
// length.
constexpr int64_t kMaxWordChars = 1000;

[[noreturn]] void fail_type(const JsonView& part, const std::string& found, const char* handled) {
  fail(ErrorCode::unsupported,
       "{}: the type \"{}\" is not supported; fp8q handles {}, the tokenizer of BERT and its "
       "WordPiece relatives",
       part.where(), printable(found), handled);
}

// The "type" of a component that must exist.
JsonView component(const JsonView& root, const char* name, const char* handled) {
  const auto part = root.find(name);
  if (!part) fail_type(root, std::string("none for ") + name, handled);
  return *part;
}

void read_normalizer(const JsonView& root, NormalizerOptions& out) {
  const JsonView part = component(root, "normalizer", "BertNormalizer");
  const std::string type = part.at("type").string();
  if (type != "BertNormalizer") fail_type(part, type, "BertNormalizer");
  out.clean_text = part.boolean_or("clean_text", true);
  out.handle_chinese_chars = part.boolean_or("handle_chinese_chars", true);
  out.lowercase = part.boolean_or("lowercase", true);
  out.strip_accents = part.boolean_or("strip_accents", out.lowercase);
}

void read_pre_tokenizer(const JsonView& root) {
  const JsonView part = component(root, "pre_tokenizer", "BertPreTokenizer");
  const std::string type = part.at("type").string();
  if (type != "BertPreTokenizer") fail_type(part, type, "BertPreTokenizer");
}

void read_model(const JsonView& root, TokenizerSpec& spec) {
  const JsonView model = root.at("model");
  // Files of early versions do not say the type; what a WordPiece model alone has then decides.
  const bool wordpiece = model.find("continuing_subword_prefix") && !model.find("merges");
  const std::string type = model.string_or("type", wordpiece ? "WordPiece" : "unknown");
  if (type != "WordPiece") fail_type(model, type, "WordPiece");
  spec.wordpiece.unk_token = model.string_or("unk_token", "[UNK]");
  spec.wordpiece.continuing_prefix = model.string_or("continuing_subword_prefix", "##");
  if (const auto chars = model.find("max_input_chars_per_word"))
    spec.wordpiece.max_word_chars = static_cast<size_t>(chars->integer(1, kMaxWordChars));
  std::unordered_map<int64_t, std::string> token_of_id;
  for (const auto& [token, value] : model.at("vocab").members()) {
    const int64_t id = value.integer(0, kMaxTokenId - 1);
    const auto [other, fresh] = token_of_id.emplace(id, token);
    if (!fresh)
      fail(ErrorCode::bad_data, "{}: has the id {}, which \"{}\" has too", value.where(), id,
           printable(other->second));
    spec.vocabulary.emplace_back(token, static_cast<int32_t>(id));
  }
}

using TokenIds = std::unordered_map<std::string, int32_t>;

void read_added_tokens(const JsonView& root, TokenIds& ids, TokenizerSpec& spec) {
  const auto tokens = root.find("added_tokens");
  if (!tokens) return;
  for (const JsonView& token : tokens->items()) {
    AddedToken added = parse_added_token(token);
    added.id = static_cast<int32_t>(token.at("id").integer(0, kMaxTokenId - 1));
    const auto [known, fresh] = ids.emplace(added.content, added.id);
    if (!fresh && known->second != added.id)
      fail(ErrorCode::bad_data, "{}: \"{}\" has the id {}, but {} in the vocabulary", token.where(),
           printable(added.content), added.id, known->second);
    spec.added_tokens.push_back(std::move(added));
  }
}

int32_t special_id(const JsonView& where, const TokenIds& ids, const std::string& token) {
  const auto found = ids.find(token);
  if (found == ids.end())
    fail(ErrorCode::bad_data, "{}: the special token \"{}\" is not in the vocabulary",
         where.where(), printable(token));
  return found->second;
}

// "cls": ["[CLS]", 101]
int32_t bert_processing_id(const JsonView& part, const char* name, const TokenIds& ids) {
  const auto pair = part.at(name).items();
  if (pair.size() != 2)
    fail(ErrorCode::bad_data, "{}/{}: expected a token and its id", part.where(), name);
  const int32_t id = special_id(part, ids, pair[0].string());
  if (pair[1].integer(0, kMaxTokenId - 1) != id)
    fail(ErrorCode::bad_data, "{}/{}: the id differs from the vocabulary's, {}", part.where(), name,
         id);
  return id;
}

// The ids that a special token of a template stands for; usually the one of the token with that
// name.
void add_special(const JsonView& item, const JsonView& post, int32_t type_id,
                 std::vector<TemplateItem>& out) {
  const JsonView special = post.at("special_tokens").at(item.at("id").string());
  for (const JsonView& id : special.at("ids").items())
    out.push_back({.kind = TemplateItem::Kind::special,
                   .id = static_cast<int32_t>(id.integer(0, kMaxTokenId - 1)),
                   .type_id = type_id});
}

std::vector<TemplateItem> read_template(const JsonView& post, const char* name) {
  std::vector<TemplateItem> out;
  size_t firsts = 0;
  size_t seconds = 0;
  for (const JsonView& item : post.at(name).items()) {
    for (const auto& [kind, value] : item.members()) {
      const auto type_id = static_cast<int32_t>(value.at("type_id").integer(0, 15));
      if (kind == "SpecialToken") {
        add_special(value, post, type_id, out);
      } else if (kind == "Sequence") {
        const bool first = value.at("id").string() == "A";
        ++(first ? firsts : seconds);
        out.push_back({.kind = first ? TemplateItem::Kind::first : TemplateItem::Kind::second,
                       .id = 0,
                       .type_id = type_id});
      } else {
        fail(ErrorCode::bad_data, "{}: expected SpecialToken or Sequence", value.where());
      }
    }
  }
  const bool pair = std::string_view(name) == "pair";
  if (firsts != 1 || seconds != (pair ? 1 : 0))
    fail(ErrorCode::unsupported, "{}: the template \"{}\" must hold each sequence once",
         post.where(), name);
  return out;
}

void read_post_processor(const JsonView& root, const TokenIds& ids, TokenizerSpec& spec) {
  constexpr const char* kHandled = "TemplateProcessing and BertProcessing";
  const JsonView part = component(root, "post_processor", kHandled);
  const std::string type = part.at("type").string();
  if (type == "BertProcessing") {
    set_bert_templates(spec, bert_processing_id(part, "cls", ids),
                       bert_processing_id(part, "sep", ids));
  } else if (type == "TemplateProcessing") {
    spec.single = read_template(part, "single");
    spec.pair = read_template(part, "pair");
  } else {
    fail_type(part, type, kHandled);
  }
}

// From the padding block where there is one: the only part of it that says something about the
// vocabulary.
int32_t find_pad_id(const JsonView& root, const TokenIds& ids) {
  std::string pad = "[PAD]";
  if (const auto padding = root.find("padding"); padding && padding->is_object())
    pad = padding->string_or("pad_token", pad);
  const auto found = ids.find(pad);
  return found == ids.end() ? 0 : found->second;
}

}  // namespace

AddedToken parse_added_token(const JsonView& token) {
  AddedToken added;
  added.content = token.at("content").string();
  added.normalized = token.boolean_or("normalized", !token.boolean_or("special", false));
  if (token.boolean_or("single_word", false))
    fail(ErrorCode::unsupported, "{}: \"{}\" has single_word = true, which is not supported",
         token.where(), printable(added.content));
  return added;
}

TokenizerSpec parse_tokenizer_json(const std::filesystem::path& path, const std::string& bytes) {
  const nlohmann::json document = parse_json(path, bytes);
  const JsonView root(path, document);
  TokenizerSpec spec;
  read_model(root, spec);
  read_normalizer(root, spec.normalizer);
  read_pre_tokenizer(root);
  TokenIds ids(spec.vocabulary.begin(), spec.vocabulary.end());
  special_id(root.at("model"), ids, spec.wordpiece.unk_token);
  read_added_tokens(root, ids, spec);
  read_post_processor(root, ids, spec);
  spec.pad_id = find_pad_id(root, ids);
  return spec;
}

}  // namespace fp8q
