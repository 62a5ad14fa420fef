#include "evaluate/spans.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/assert.h"
#include "base/utf8.h"

namespace fp8q {
namespace {

// Returns the indices of the largest logits, largest first. Among equal logits the earlier comes
// first.
std::vector<size_t> best_indexes(std::span<const float> logits, size_t count) {
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t kept = std::min(count, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(),
      [&](size_t a, size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  order.resize(kept);
  return order;
}

}  // namespace

std::optional<Span> best_span(const Encoding& window, const SpanLogits& logits, TextTokens text,
                              const SpanSettings& settings) {
  FP8Q_ASSERT(logits.start.size() == window.ids.size());
  FP8Q_ASSERT(logits.end.size() == window.ids.size());
  const std::vector<size_t> ends = best_indexes(logits.end, settings.best);
  std::optional<Span> best;
  for (const size_t i : best_indexes(logits.start, settings.best)) {
    for (const size_t j : ends) {
      if (i < text.begin || j < i || j >= text.end || j - i >= settings.max_answer_tokens) continue;
      const double score = double{logits.start[i]} + double{logits.end[j]};
      if (!best || score > best->score)
        best = {score, {window.offsets[i].first, window.offsets[j].second}};
    }
  }
  return best;
}

TextTokens text_tokens(const Encoding& window) {
  size_t end = window.ids.size();
  // The frame's tokens belong to no text.
  while (end > window.second_begin && window.offsets[end - 1] == CharRange{0, 0}) --end;
  return {window.second_begin, end};
}

double null_score(const SpanLogits& logits) {
  return double{logits.start[0]} + double{logits.end[0]};
}

std::string substring(std::string_view text, CharRange range) {
  size_t at = 0;
  const auto skip = [&](uint32_t code_points) {
    for (uint32_t i = 0; i < code_points && at < text.size(); ++i)
      at += decode_utf8(text, at).bytes;
    return at;
  };
  const size_t begin = skip(range.first);
  return std::string(text.substr(begin, skip(range.second - range.first) - begin));
}

}  // namespace fp8q
