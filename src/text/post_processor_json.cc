// Reads the component "post_processor" of a tokenizer.json: the frame of special tokens, and
// whether offsets are trimmed. The component may be absent, and may be a Sequence.
#include "base/error.h"
#include "text/spec_readers.h"

namespace fp8q {
namespace {

using json::Value;

// Reads a member such as "cls": ["[CLS]", 101].
int32_t framing_id(const Value& component, const char* name, const TokenIds& ids) {
  const auto pair = component[name].items();
  if (pair.size() != 2) component[name].reject_for("a token and its id");
  const int32_t id = special_id(component, ids, pair[0].string());
  if (pair[1].integer(0, kMaxTokenId - 1) != id)
    component[name].reject(fmt::format("the id differs from the vocabulary's, {}", id));
  return id;
}

// Adds the ids that a special token of a template stands for, usually the id of the token with that
// name.
void add_special(const Value& item, const Value& post, int32_t type_id,
                 std::vector<TemplateItem>& out) {
  const Value special = post["special_tokens"][item["id"].string()];
  for (const Value& id : special["ids"].items())
    out.push_back({.kind = TemplateItem::Kind::special,
                   .id = static_cast<int32_t>(id.integer(0, kMaxTokenId - 1)),
                   .type_id = type_id});
}

std::vector<TemplateItem> read_template(const Value& post, const char* name) {
  std::vector<TemplateItem> out;
  size_t firsts = 0;
  size_t seconds = 0;
  for (const Value& item : post[name].items()) {
    for (const auto& [kind, value] : item.members()) {
      const auto type_id = static_cast<int32_t>(value["type_id"].integer(0, 15));
      if (kind == "SpecialToken") {
        add_special(value, post, type_id, out);
      } else if (kind == "Sequence") {
        const bool first = value["id"].string() == "A";
        ++(first ? firsts : seconds);
        out.push_back({.kind = first ? TemplateItem::Kind::first : TemplateItem::Kind::second,
                       .id = 0,
                       .type_id = type_id});
      } else {
        value.reject("expected SpecialToken or Sequence");
      }
    }
  }
  const bool pair = std::string_view(name) == "pair";
  if (firsts != 1 || seconds != (pair ? 1 : 0))
    fail(ErrorCode::unsupported, "{}: the template \"{}\" must hold each sequence once",
         post.where(), name);
  return out;
}

void read_trimming(const Value& component, TokenizerSpec& spec) {
  if (component.boolean_or("trim_offsets", true))
    spec.trim_offsets = TrimOffsets{component.boolean_or("add_prefix_space", true)};
}

void add_post_processor(const Value& component, const TokenIds& ids, TokenizerSpec& spec) {
  const std::string type = component["type"].string();
  if (type == "Sequence") {
    for (const Value& step : component["processors"].items()) add_post_processor(step, ids, spec);
  } else if (type == "BertProcessing") {
    set_bert_templates(spec, framing_id(component, "cls", ids), framing_id(component, "sep", ids));
  } else if (type == "RobertaProcessing") {
    set_roberta_templates(spec, framing_id(component, "cls", ids),
                          framing_id(component, "sep", ids));
    read_trimming(component, spec);
  } else if (type == "ByteLevel") {
    read_trimming(component, spec);
  } else if (type == "TemplateProcessing") {
    spec.single = read_template(component, "single");
    spec.pair = read_template(component, "pair");
  } else {
    refuse_type(component, type,
                "BertProcessing, RobertaProcessing, TemplateProcessing, ByteLevel and Sequence");
  }
}

}  // namespace

void read_post_processor(const Value& root, const TokenIds& ids, TokenizerSpec& spec) {
  if (const auto component = root.find("post_processor")) add_post_processor(*component, ids, spec);
}

}  // namespace fp8q
