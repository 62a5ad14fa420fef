// The token sequences that a model runs for the examples of a task.
//
// Most examples are one sequence. A long text with a question is several windows, each with the
// question in front; sentences compared by their embeddings are one sequence each.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tasks/dataset.h"
#include "text/tokenizer.h"

namespace fp8q {

struct Sequences {
  std::vector<Encoding> encodings;
  std::vector<size_t> first = {0};  // those of example e are [first[e], first[e + 1])

  size_t examples() const { return first.size() - 1; }
};

// One sequence per example, a pair in one frame; longer ones are cut.
Sequences whole_sequences(const Tokenizer& tokenizer, std::span<const Example> examples,
                          size_t max_length);

// Two per example: its text, and its pair.
Sequences separate_sequences(const Tokenizer& tokenizer, std::span<const Example> examples,
                             size_t max_length);

struct WindowSettings {
  size_t max_length = 384;  // tokens of a window, the question and the frame included
  size_t overlap = 128;     // tokens of the text that neighboring windows share
};

// As many tokens of a question as the reference run_squad takes.
constexpr size_t kMaxQuestionTokens = 64;

// Windows over Example::pair with Example::text, a question, in front; examples without a pair are
// one sequence. The last window is the one that reaches the end. Error (usage): a window leaves no
// room for more than the overlap, naming the example.
Sequences question_windows(const Tokenizer& tokenizer, std::span<const Example> examples,
                           const WindowSettings& settings);

}  // namespace fp8q
