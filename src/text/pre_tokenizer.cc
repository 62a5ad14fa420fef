#include "text/pre_tokenizer.h"

#include <array>

#include "base/utf8.h"
#include "text/bert_unicode.h"
#include "text/byte_level.h"
#include "text/unicode_class.h"

namespace fp8q {
namespace {

// Says what a rule does with a character. Runs of the same kind are words.
enum class Kind : uint8_t { dropped, alone, run, other_run };

Kind kind_of(SplitRule rule, char32_t c) {
  const auto bert = [c](BertCharClass wanted) { return (bert_classes(c) & wanted) != 0; };
  const auto is = [c](CharClass wanted) { return (char_classes(c) & wanted) != 0; };
  switch (rule) {
    case SplitRule::bert:
      return bert(kBertSpace) ? Kind::dropped : bert(kBertPunctuation) ? Kind::alone : Kind::run;
    case SplitRule::white_space:
      return is(kSpace) ? Kind::dropped : Kind::run;
    case SplitRule::words:
      return is(kSpace) ? Kind::dropped : is(kWord) ? Kind::run : Kind::other_run;
    case SplitRule::punctuation:
      return bert(kBertPunctuation) ? Kind::alone : Kind::run;
    case SplitRule::digits:
      return is(kNumber) ? Kind::other_run : Kind::run;
    case SplitRule::each_digit:
      return is(kNumber) ? Kind::alone : Kind::run;
  }
  return Kind::run;
}

constexpr size_t kRules = static_cast<size_t>(SplitRule::each_digit) + 1;
using AsciiKinds = std::array<Kind, 128>;

const AsciiKinds& ascii_kinds(SplitRule rule) {
  static const std::array<AsciiKinds, kRules> tables = [] {
    std::array<AsciiKinds, kRules> kinds{};
    for (size_t r = 0; r < kRules; ++r)
      for (size_t c = 0; c < 128; ++c)
        kinds[r][c] = kind_of(static_cast<SplitRule>(r), static_cast<char32_t>(c));
    return kinds;
  }();
  return tables[static_cast<size_t>(rule)];
}

void split_by_kind(SplitRule rule, std::string_view text, size_t begin, size_t end,
                   std::vector<Word>& out) {
  const AsciiKinds& ascii = ascii_kinds(rule);
  size_t word = begin;
  Kind run = Kind::dropped;  // kind of the characters since `word`
  for (size_t at = begin; at < end;) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const DecodedChar c = byte < 0x80 ? DecodedChar{byte, 1} : decode_utf8(text, at);
    const Kind kind = byte < 0x80 ? ascii[byte] : kind_of(rule, c.value);
    if (kind != run || kind == Kind::alone) {
      if (run != Kind::dropped) out.push_back({word, at});
      word = at;
      run = kind;
    }
    at += c.bytes;
  }
  if (run != Kind::dropped && word < end) out.push_back({word, end});
}

}  // namespace

void PreTokenizer::split(std::string_view text, size_t begin, size_t end,
                         std::vector<Word>& scratch, std::vector<Word>& out) const {
  out.clear();
  if (begin == end) return;
  out.push_back({begin, end});
  const auto refine = [&](auto split_part) {
    std::swap(scratch, out);
    out.clear();
    for (const Word& part : scratch) split_part(part);
  };
  for (const SplitRule rule : spec_.rules)
    refine([&](const Word& part) { split_by_kind(rule, text, part.begin, part.end, out); });
  if (!spec_.byte_level) return;
  const ByteLevelRule& bytes = *spec_.byte_level;
  refine([&](const Word& part) {
    const bool prefixed = bytes.add_prefix_space && text[part.begin] != ' ';
    if (bytes.use_regex) split_gpt2(text, part.begin, part.end, prefixed, out);
    else out.push_back({part.begin, part.end, prefixed});
  });
}

}  // namespace fp8q
