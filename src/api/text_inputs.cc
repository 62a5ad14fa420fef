#include "api/text_inputs.h"

#include "evaluate/sequences.h"
#include "tasks/spread.h"

namespace fp8q {

Tokenizer tokenizer_for(const Bundle& bundle, const std::optional<fs::path>& given) {
  Tokenizer tokenizer = Tokenizer::load(find_tokenizer(bundle.folder, given));
  check_vocabulary(bundle, tokenizer.vocab_size(), tokenizer.path().string());
  return tokenizer;
}

std::vector<Encoding> calibration_sequences(const Tokenizer& tokenizer,
                                            const std::vector<Example>& examples, const Task* task,
                                            size_t max_length) {
  if (!task || task->kind != TaskKind::spans)
    return whole_sequences(tokenizer, examples, max_length).encodings;
  return spread_evenly(
      question_windows(tokenizer, examples, {.max_length = max_length, .overlap = 0}).encodings,
      examples.size());
}

}  // namespace fp8q
