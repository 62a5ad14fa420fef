// The component "post_processor" of a tokenizer.json: the frame of special tokens, and whether
// offsets are trimmed. It may be absent, and may be a Sequence.
#include "base/error.h"
#include "text/spec_parts.h"

namespace fp8q {
namespace {

// "cls": ["[CLS]", 101]
int32_t framing_id(const JsonView& part, const char* name, const TokenIds& ids) {
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

void read_trimming(const JsonView& part, TokenizerSpec& spec) {
  if (part.boolean_or("trim_offsets", true))
    spec.trim_offsets = TrimOffsets{part.boolean_or("add_prefix_space", true)};
}

void add_post_processor(const JsonView& part, const TokenIds& ids, TokenizerSpec& spec) {
  const std::string type = part.at("type").string();
  if (type == "Sequence") {
    for (const JsonView& step : part.at("processors").items()) add_post_processor(step, ids, spec);
  } else if (type == "BertProcessing") {
    set_bert_templates(spec, framing_id(part, "cls", ids), framing_id(part, "sep", ids));
  } else if (type == "RobertaProcessing") {
    set_roberta_templates(spec, framing_id(part, "cls", ids), framing_id(part, "sep", ids));
    read_trimming(part, spec);
  } else if (type == "ByteLevel") {
    read_trimming(part, spec);
  } else if (type == "TemplateProcessing") {
    spec.single = read_template(part, "single");
    spec.pair = read_template(part, "pair");
  } else {
    refuse_type(part, type,
                "BertProcessing, RobertaProcessing, TemplateProcessing, ByteLevel and Sequence");
  }
}

}  // namespace

void read_post_processor(const JsonView& root, const TokenIds& ids, TokenizerSpec& spec) {
  if (const auto part = root.find("post_processor")) add_post_processor(*part, ids, spec);
}

}  // namespace fp8q
