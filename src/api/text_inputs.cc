#include "api/text_inputs.h"

#include "base/hash.h"
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

size_t count_tokens(const std::vector<Encoding>& encodings) {
  size_t tokens = 0;
  for (const auto& encoding : encodings) tokens += encoding.ids.size();
  return tokens;
}

std::string sha256_of(const std::vector<Encoding>& encodings) {
  std::string bytes;
  const auto add = [&](const std::vector<int32_t>& values) {
    const auto size = static_cast<uint64_t>(values.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int32_t));
  };
  for (const Encoding& encoding : encodings) {
    add(encoding.ids);
    add(encoding.type_ids);
  }
  return sha256(bytes);
}

}  // namespace fp8q
