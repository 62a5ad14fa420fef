#include "text/normalizer.h"

#include <array>

#include "base/utf8.h"
#include "text/bert_unicode.h"
#include "text/unicode_form.h"

namespace fp8q {
namespace {

using SourcedText = std::vector<SourcedChar>;

void lowercase(SourcedText& text) {
  SourcedText out;
  out.reserve(text.size());
  std::array<char32_t, kMaxExpansion> storage;
  for (const SourcedChar& c : text) {
    if ((bert_classes(c.value) & kBertLowered) == 0) {
      out.push_back(c);
    } else {
      for (const char32_t lower : lower_case(c.value, storage)) out.push_back({lower, c.source});
    }
  }
  text = std::move(out);
}

void apply(TextRule rule, SourcedText& text) {
  switch (rule) {
    case TextRule::nfc:
      return apply_form(false, true, text);
    case TextRule::nfd:
      return apply_form(false, false, text);
    case TextRule::nfkc:
      return apply_form(true, true, text);
    case TextRule::nfkd:
      return apply_form(true, false, text);
    case TextRule::lowercase:
      return lowercase(text);
    case TextRule::strip_accents:
      std::erase_if(text, [](const SourcedChar& c) { return is_mark(c.value); });
  }
}

void write(const SourcedText& text, NormalizedText& out) {
  for (const SourcedChar& c : text) {
    append_utf8(out.bytes, c.value);
    out.source.resize(out.bytes.size(), c.source);
  }
}

void apply(const NormalizerOptions& options, SourcedText& text) {
  NormalizedText before;
  NormalizedText after;
  write(text, before);
  BertNormalizer(options).append(before.bytes, after);
  SourcedText out;
  for (size_t at = 0; at < after.bytes.size();) {
    const DecodedChar c = decode_utf8(after.bytes, at);
    out.push_back({c.value, text[after.source[at]].source});
    at += c.bytes;
  }
  text = std::move(out);
}

// Appends the text unchanged, except that ill-formed parts become U+FFFD.
void append_unchanged(std::string_view text, NormalizedText& out) {
  for (size_t at = 0; at < text.size(); ++out.code_points) {
    const DecodedChar c = decode_utf8(text, at);
    if (c.value < 0x80) out.bytes += text[at];
    else append_utf8(out.bytes, c.value);
    out.source.resize(out.bytes.size(), out.code_points);
    at += c.bytes;
  }
}

}  // namespace

Normalizer::Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {
  if (steps_.size() != 1) return;
  if (const auto* options = std::get_if<NormalizerOptions>(&steps_[0])) bert_.emplace(*options);
}

void Normalizer::append(std::string_view text, NormalizedText& out) const {
  if (bert_) return bert_->append(text, out);
  if (steps_.empty()) return append_unchanged(text, out);
  SourcedText characters;
  characters.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    characters.push_back({c.value, out.code_points++});
    at += c.bytes;
  }
  for (const NormalizerStep& step : steps_)
    std::visit([&](const auto& s) { apply(s, characters); }, step);
  write(characters, out);
}

}  // namespace fp8q
