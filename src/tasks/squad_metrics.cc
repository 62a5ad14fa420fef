#include "tasks/squad_metrics.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/assert.h"
#include "base/utf8.h"
#include "text/bert_unicode.h"

namespace fp8q {
namespace {

// Returns whether c is in Python's string.punctuation: the printable ASCII characters that are
// neither letters nor digits.
bool is_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// Decides as Python's str.isspace(): separators, and the controls that Unicode counts as white
// space.
bool is_space(char32_t c) {
  if ((c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85) return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return false;
  }
}

// Returns whether c is \w of Python's regular expressions, without the underscore, which is
// punctuation: letters and numbers.
bool is_word(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

// Returns the text in lower case without punctuation.
std::u32string lower_letters(std::string_view text) {
  std::u32string out;
  std::array<char32_t, kMaxExpansion> storage;
  const auto keep = [&](char32_t c) {
    if (!is_punctuation(c)) out += c;
  };
  for (size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_utf8(text, at);
    at += c.bytes;
    if ((bert_classes(c.value) & kBertLowered) == 0) keep(c.value);
    else
      for (const char32_t lower : lower_case(c.value, storage)) keep(lower);
  }
  return out;
}

// Replaces articles that stand alone between characters that are not \w, as in "–a–", by a space.
std::u32string without_articles(const std::u32string& text) {
  std::u32string out;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == begin) {
      out += text[begin++];
      continue;
    }
    const std::u32string_view word = std::u32string_view(text).substr(begin, end - begin);
    if (word == U"a" || word == U"an" || word == U"the") out += U' ';
    else out += word;
    begin = end;
  }
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char32_t c : without_articles(lower_letters(text))) {
    if (is_space(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    append_utf8(words.back(), c);
  }
  return words;
}

double f1_of_words(const std::vector<std::string>& answer,
                   const std::vector<std::string>& reference) {
  std::map<std::string_view, size_t> left;
  for (const auto& word : reference) ++left[word];
  size_t shared = 0;
  for (const auto& word : answer) {
    const auto found = left.find(word);
    if (found == left.end() || found->second == 0) continue;
    --found->second;
    ++shared;
  }
  if (shared == 0) return 0;
  // The result is 2 P R / (P + R) with P = shared / answer and R = shared / reference.
  return 2.0 * static_cast<double>(shared) / static_cast<double>(answer.size() + reference.size());
}

}  // namespace

std::string normalize_answer(std::string_view text) {
  std::string out;
  for (const auto& word : words_of(text)) out += (out.empty() ? "" : " ") + word;
  return out;
}

AnswerScore score_answer(std::string_view answer, const std::vector<std::string>& references,
                         bool unanswerable) {
  const std::vector<std::string> given = words_of(answer);
  AnswerScore best;
  bool compared = false;
  const auto compare_with = [&](const std::vector<std::string>& reference) {
    const bool both_empty = given.empty() && reference.empty();
    best.exact = std::max(best.exact, given == reference ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, both_empty && unanswerable ? 1.0 : f1_of_words(given, reference));
    compared = true;
  };
  for (const auto& text : references) {
    const std::vector<std::string> reference = words_of(text);
    if (!reference.empty() || !unanswerable) compare_with(reference);
  }
  if (!compared) compare_with({});
  return best;
}

BestThreshold best_threshold(std::vector<ThresholdCase> cases) {
  FP8Q_ASSERT(!cases.empty());
  std::sort(cases.begin(), cases.end(), [](const ThresholdCase& a, const ThresholdCase& b) {
    return a.null_difference < b.null_difference;
  });
  // Starts at "nothing is answered". Each step answers the questions up to a threshold.
  double sum = 0;
  for (const ThresholdCase& c : cases) sum += c.unanswered;
  double best_sum = sum;
  double threshold = cases.front().null_difference - 1;
  for (size_t i = 0; i < cases.size(); ++i) {
    sum += cases[i].answered - cases[i].unanswered;
    const bool last_of_equals =
        i + 1 == cases.size() || cases[i + 1].null_difference > cases[i].null_difference;
    if (!last_of_equals || sum < best_sum) continue;
    best_sum = sum;
    threshold = cases[i].null_difference;
  }
  return {threshold, best_sum / static_cast<double>(cases.size())};
}

}  // namespace fp8q
