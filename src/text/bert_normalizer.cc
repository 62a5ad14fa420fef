#include "text/bert_normalizer.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/bert_unicode.h"

namespace fp8q {
namespace {

constexpr char kDropped =
    '\x7F';  // DEL itself is a control character or, without clean_text, handled by put()

bool is(uint8_t classes, BertCharClass wanted) { return (classes & wanted) != 0; }

}  // namespace

// Holds the state of one append(): the output, and the combining marks that wait to be put in
// canonical order.
struct BertNormalizer::Pass {
  struct Mark {
    char32_t value;
    int combining_class;
    uint32_t source;
    bool leads;  // whether it is the first part of its original character
    bool kept;
  };

  const NormalizerOptions& options;
  NormalizedText& out;
  std::vector<Mark> marks = {};
  uint32_t last_source = 0;  // source of the last original character

  void write(char32_t c, uint32_t source) {
    append_utf8(out.bytes, c);
    out.source.resize(out.bytes.size(), source);
  }

  void lower_and_write(char32_t c, uint32_t source) {
    if (!options.lowercase || !is(bert_classes(c), kBertLowered)) return write(c, source);
    std::array<char32_t, kMaxExpansion> storage;
    for (char32_t lower : lower_case(c, storage)) write(lower, source);
  }

  // Writes the waiting marks in canonical order. Like the reference, it takes the originals one
  // after another, one for every mark that leads, so that sources never decrease.
  void flush_marks() {
    if (marks.empty()) return;
    std::vector<uint32_t> originals;
    for (const Mark& mark : marks)
      if (mark.leads) originals.push_back(mark.source);
    std::ranges::stable_sort(marks, {}, &Mark::combining_class);
    auto next = originals.begin();
    for (const Mark& mark : marks) {
      if (mark.leads) last_source = *next++;
      if (mark.kept) lower_and_write(mark.value, last_source);
    }
    marks.clear();
  }

  // Puts one character of the decomposed text. Accents are dropped after canonical ordering.
  void put_decomposed(char32_t c, uint32_t source, bool leads) {
    const uint8_t classes = bert_classes(c);
    const bool accent = is(classes, kBertNonspacing);
    const int order = accent || is(classes, kBertReordered) ? combining_class(c) : 0;
    if (order != 0) {
      marks.push_back({c, order, source, leads, !accent});
      return;
    }
    flush_marks();
    last_source = source;
    if (!accent) lower_and_write(c, source);
  }

  void strip_and_put(char32_t c, uint32_t source) {
    if (!options.strip_accents) return lower_and_write(c, source);
    if (!is(bert_classes(c), kBertDecomposed)) return put_decomposed(c, source, true);
    std::array<char32_t, kMaxExpansion> storage;
    bool leads = true;
    for (char32_t part : decompose(c, storage))
      put_decomposed(part, source, std::exchange(leads, false));
  }

  // Does all steps for one original character.
  void put(char32_t c, uint32_t source) {
    const uint8_t classes = bert_classes(c);
    if (options.clean_text) {
      const bool kept_control = c == U'\t' || c == U'\n' || c == U'\r';
      if (c == 0 || c == kReplacementCharacter || (is(classes, kBertControl) && !kept_control))
        return;
      if (is(classes, kBertSpace)) c = U' ';
    }
    if (options.handle_chinese_chars && is(classes, kBertCjk)) {
      // HF gives the first space the place of the character before. This has no effect, because
      // spaces are in no token.
      strip_and_put(U' ', source);
      strip_and_put(c, source);
      strip_and_put(U' ', source);
      return;
    }
    strip_and_put(c, source);
  }
};

BertNormalizer::BertNormalizer(const NormalizerOptions& options) : options_(options), ascii_{} {
  for (size_t c = 0; c < ascii_.size(); ++c) {
    NormalizedText one;
    Pass pass{options_, one};
    pass.put(static_cast<char32_t>(c), 0);
    ascii_[c] = one.bytes.empty() ? kDropped : one.bytes[0];
  }
}

// Appends a run of ASCII characters, which make up most of most texts. None of them becomes several
// characters.
void BertNormalizer::append_ascii(std::string_view run, Pass& pass, NormalizedText& out) const {
  const auto normalized = [&](size_t i) { return ascii_[static_cast<unsigned char>(run[i])]; };
  const uint32_t source = out.code_points;
  out.code_points += static_cast<uint32_t>(run.size());
  size_t i = 0;
  while (i < run.size() && normalized(i) == kDropped) ++i;
  if (i == run.size()) return;
  pass.flush_marks();
  size_t to = out.bytes.size();
  out.bytes.resize(to + run.size() - i);
  out.source.resize(out.bytes.size());
  for (; i < run.size(); ++i) {
    const char c = normalized(i);
    out.bytes[to] = c;
    out.source[to] = source + static_cast<uint32_t>(i);
    to += c == kDropped ? 0 : 1;
  }
  out.bytes.resize(to);
  out.source.resize(to);
  pass.last_source = out.source.back();
}

void BertNormalizer::append(std::string_view text, NormalizedText& out) const {
  out.bytes.reserve(out.bytes.size() + text.size());
  out.source.reserve(out.source.size() + text.size());
  Pass pass{options_, out};
  const auto ascii = [&](size_t at) { return static_cast<unsigned char>(text[at]) < 0x7F; };
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    while (at < text.size() && ascii(at)) ++at;
    if (at > begin) {
      append_ascii(text.substr(begin, at - begin), pass, out);
    } else {
      const DecodedChar c = decode_utf8(text, at);
      pass.put(c.value, out.code_points++);
      at += c.bytes;
    }
  }
  pass.flush_marks();
}

}  // namespace fp8q
