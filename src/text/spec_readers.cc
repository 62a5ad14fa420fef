#include "text/spec_readers.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/byte_level.h"

namespace fp8q {

using json::Value;

std::vector<std::pair<std::string, int32_t>> read_vocabulary(const Value& vocab) {
  std::vector<std::pair<std::string, int32_t>> vocabulary;
  std::unordered_map<int64_t, std::string_view> token_of_id;
  for (const auto& [token, value] : vocab.members()) {
    const int64_t id = value.integer(0, kMaxTokenId - 1);
    const auto [other, fresh] = token_of_id.emplace(id, token);
    if (!fresh)
      value.reject(
          fmt::format("has the id {}, which \"{}\" has too", id, printable(other->second)));
    vocabulary.emplace_back(token, static_cast<int32_t>(id));
  }
  return vocabulary;
}

int32_t special_id(const Value& component, const TokenIds& ids, const std::string& token) {
  const auto found = ids.find(token);
  if (found == ids.end())
    component.reject(
        fmt::format("the special token \"{}\" is not in the vocabulary", printable(token)));
  return found->second;
}

Merge resolve_merge(const Place& where, const TokenIds& ids, const std::string& left,
                    const std::string& right) {
  const auto id_of = [&](const std::string& token) {
    const auto found = ids.find(token);
    if (found == ids.end())
      fail(ErrorCode::bad_data,
           "{}: the merge of \"{}\" and \"{}\" needs the token \"{}\", which the vocabulary has "
           "not; are vocabulary and merges of the same model?",
           where(), printable(left), printable(right), printable(token));
    return found->second;
  };
  return {id_of(left), id_of(right), id_of(left + right)};
}

bool has_every_byte(const TokenIds& ids) {
  std::array<bool, 256> known{};
  for (const auto& [token, id] : ids)
    if (const auto bytes = bytes_of_token(token); bytes && bytes->size() == 1)
      known[static_cast<unsigned char>((*bytes)[0])] = true;
  return std::ranges::all_of(known, std::identity());
}

std::optional<int32_t> byte_level_unk(const Place& where, const TokenIds& ids,
                                      const std::string& unk_token) {
  if (const auto found = ids.find(unk_token); found != ids.end()) return found->second;
  if (!unk_token.empty() && !has_every_byte(ids))
    fail(ErrorCode::bad_data,
         "{}: the vocabulary has neither the unknown token \"{}\" nor a token for every byte; is "
         "it complete?",
         where(), printable(unk_token));
  return std::nullopt;
}

AddedToken parse_added_token(const Value& token) {
  return {.content = token["content"].string(),
          .normalized = token.boolean_or("normalized", !token.boolean_or("special", false)),
          .lstrip = token.boolean_or("lstrip", false),
          .rstrip = token.boolean_or("rstrip", false),
          .single_word = token.boolean_or("single_word", false)};
}

void check_added_id(const Place& where, const TokenIds& ids, const AddedToken& token) {
  const auto known = ids.find(token.content);
  if (known != ids.end() && known->second != token.id)
    fail(ErrorCode::bad_data, "{}: \"{}\" has the id {}, but {} in the vocabulary", where(),
         printable(token.content), token.id, known->second);
}

namespace {

TemplateItem special(int32_t id, int32_t type) {
  return {.kind = TemplateItem::Kind::special, .id = id, .type_id = type};
}

}  // namespace

void set_bert_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id) {
  using Kind = TemplateItem::Kind;
  spec.single = {special(cls_id, 0), {Kind::first, 0, 0}, special(sep_id, 0)};
  spec.pair = spec.single;
  spec.pair.push_back({Kind::second, 0, 1});
  spec.pair.push_back(special(sep_id, 1));
}

void set_roberta_templates(TokenizerSpec& spec, int32_t cls_id, int32_t sep_id) {
  using Kind = TemplateItem::Kind;
  spec.single = {special(cls_id, 0), {Kind::first, 0, 0}, special(sep_id, 0)};
  spec.pair = spec.single;
  spec.pair.push_back(special(sep_id, 0));
  spec.pair.push_back({Kind::second, 0, 0});
  spec.pair.push_back(special(sep_id, 0));
}

void refuse_type(const Value& component, const std::string& type, std::string_view handled) {
  fail(ErrorCode::unsupported,
       "{}: the type \"{}\" is not supported; fp8q handles {}, which BERT, RoBERTa and their "
       "relatives use. Give a tokenizer of these types with --tokenizer PATH",
       component.where(), printable(type), handled);
}

void refuse_option(const Value& component, std::string_view option, std::string_view handled) {
  const Value value = component[option];
  fail(ErrorCode::unsupported, "{}: {} is not supported; fp8q handles {}", value.where(),
       printable(value.dump()), handled);
}

}  // namespace fp8q
