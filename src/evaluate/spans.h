// Decodes start and end logits into the part of a text that answers a question.
//
// The rules are those of the reference run_squad (Devlin et al., 2019). The best starts and ends of
// every window are paired, and pairs that are no answer are dropped. The pair with the highest sum
// of its two logits over all windows of a question wins, and the earlier one on equal sums. A token
// that stands in several windows counts in each with its own logits.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace fp8q {

struct SpanSettings {
  size_t best = 20;               // number of starts, and of ends, considered per window
  size_t max_answer_tokens = 30;  // tokens of the longest answer
};

struct Span {
  double score = 0;  // start logit + end logit
  CharRange range;   // code points of the text
};

// The lists are parallel to the tokens of the window.
struct SpanLogits {
  std::span<const float> start;
  std::span<const float> end;
};

// Names the tokens [begin, end) of a text in a window.
struct TextTokens {
  size_t begin;
  size_t end;
};
// Returns the best span of one window within the tokens of `text`, or nullopt if none of the pairs
// considered lies in them.
std::optional<Span> best_span(const Encoding& window, const SpanLogits& logits, TextTokens text,
                              const SpanSettings& settings);

// Returns the tokens of the second text of `window`.
TextTokens text_tokens(const Encoding& window);

// Returns the score of "no answer": both ends are on the first token.
double null_score(const SpanLogits& logits);

// Returns the code points [range.first, range.second) of `text`.
std::string substring(std::string_view text, CharRange range);

}  // namespace fp8q
