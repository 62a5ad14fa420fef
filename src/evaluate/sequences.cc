#include "evaluate/sequences.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/threads.h"

namespace fp8q {
namespace {

// Joins the results of `make` for each example. Examples are independent and run in parallel.
Sequences join(size_t examples, const std::function<std::vector<Encoding>(size_t)>& make) {
  constexpr size_t kBlock = 64;  // examples per unit of parallel work
  std::vector<std::vector<Encoding>> parts(examples);
  parallel_for((examples + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t end = std::min(examples, (block + 1) * kBlock);
    for (size_t e = block * kBlock; e < end; ++e) parts[e] = make(e);
  });
  Sequences sequences;
  for (auto& part : parts) {
    std::ranges::move(part, std::back_inserter(sequences.encodings));
    sequences.first.push_back(sequences.encodings.size());
  }
  return sequences;
}

std::vector<Encoding> windows_of(const Tokenizer& tokenizer, const Example& example,
                                 const WindowSettings& settings) {
  if (!example.pair) return {tokenizer.encode(example.text, std::nullopt, settings.max_length)};
  const Tokens question = tokenizer.tokenize(example.text);
  const Tokens text = tokenizer.tokenize(*example.pair);
  const size_t question_size = std::min(question.ids.size(), kMaxQuestionTokens);
  const size_t taken = tokenizer.frame_size(true) + question_size;
  const size_t room = settings.max_length - std::min(taken, settings.max_length);
  if (room <= settings.overlap)
    fail(ErrorCode::usage,
         "question {}: beside its {} tokens and {} special ones a window of {} tokens has room for "
         "{} of the text, no more than the {} that windows share; raise --max-length or lower "
         "--doc-stride",
         printable(example.id), question_size, taken - question_size, settings.max_length, room,
         settings.overlap);
  std::vector<Encoding> windows;
  for (size_t begin = 0;; begin += room - settings.overlap) {
    const size_t end = std::min(begin + room, text.ids.size());
    windows.push_back(
        tokenizer.assemble({&question, 0, question_size}, TokenSlice{&text, begin, end}));
    if (end == text.ids.size()) return windows;
  }
}

}  // namespace

Sequences whole_sequences(const Tokenizer& tokenizer, std::span<const Example> examples,
                          size_t max_length) {
  return join(examples.size(), [&](size_t e) -> std::vector<Encoding> {
    return {tokenizer.encode(examples[e].text, examples[e].pair, max_length)};
  });
}

Sequences separate_sequences(const Tokenizer& tokenizer, std::span<const Example> examples,
                             size_t max_length) {
  return join(examples.size(), [&](size_t e) -> std::vector<Encoding> {
    return {tokenizer.encode(examples[e].text, std::nullopt, max_length),
            tokenizer.encode(examples[e].pair.value_or(""), std::nullopt, max_length)};
  });
}

Sequences question_windows(const Tokenizer& tokenizer, std::span<const Example> examples,
                           const WindowSettings& settings) {
  return join(examples.size(),
              [&](size_t e) { return windows_of(tokenizer, examples[e], settings); });
}

}  // namespace fp8q
