// Which part of a text answers a question: the decoding of start and end logits.
//
// As the reference run_squad (Devlin et al., 2019): of every window the best starts and ends are
// paired, pairs that are no answer are dropped, and the pair with the highest sum of its two logits
// over all windows of a question wins; on equal sums the earlier one. A token that stands in
// several windows counts in each with its own logits.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace fp8q {

struct SpanSettings {
  size_t best = 20;               // starts, and ends, considered per window
  size_t max_answer_tokens = 30;  // of an answer
};

struct Span {
  double score = 0;  // start logit + end logit
  CharRange range;   // code points of the text
};

// Parallel to the tokens of the window.
struct SpanLogits {
  std::span<const float> start;
  std::span<const float> end;
};

// The best span of one window within the tokens [text_begin, text_end); nothing where none of the
// pairs considered lies in it.
struct TextTokens {
  size_t begin;
  size_t end;
};
std::optional<Span> best_span(const Encoding& window, const SpanLogits& logits, TextTokens text,
                              const SpanSettings& settings);

// The tokens of the second text of `window`.
TextTokens text_tokens(const Encoding& window);

// The score of "no answer": both ends on the first token.
double null_score(const SpanLogits& logits);

// Code points [range.first, range.second) of `text`.
std::string substring(std::string_view text, CharRange range);

}  // namespace fp8q
