// Makes the token sequences that a model runs for the examples of a task.
//
// Most examples are one sequence. A long text with a question is several windows, each with the
// question in front. Sentences that are compared by their embeddings are one sequence each.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tasks/dataset.h"
#include "text/tokenizer.h"

namespace fp8q {

struct Sequences {
  std::vector<Encoding> encodings;
  std::vector<size_t> first = {0};  // example e has [first[e], first[e + 1])

  size_t examples() const { return first.size() - 1; }
};

// Makes one sequence per example, with a pair in one frame. Longer sequences are cut.
Sequences whole_sequences(const Tokenizer& tokenizer, std::span<const Example> examples,
                          size_t max_length);

// Makes two sequences per example: its text, and its pair.
Sequences separate_sequences(const Tokenizer& tokenizer, std::span<const Example> examples,
                             size_t max_length);

struct WindowSettings {
  size_t max_length = 384;  // tokens of a window, including question and frame
  size_t overlap = 128;     // tokens of the text that neighboring windows share
};

// The reference run_squad also keeps this many tokens of a question.
constexpr size_t kMaxQuestionTokens = 64;

// Makes windows over Example::pair with Example::text, a question, in front. Examples without a
// pair are one sequence. The last window is the one that reaches the end. Throws an Error (usage)
// that names the example if a window leaves no room for more than the overlap.
Sequences question_windows(const Tokenizer& tokenizer, std::span<const Example> examples,
                           const WindowSettings& settings);

}  // namespace fp8q
