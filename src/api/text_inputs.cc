#include "api/text_inputs.h"

#include <algorithm>

#include "base/threads.h"

namespace fp8q {

Tokenizer tokenizer_for(const Bundle& bundle, const std::optional<fs::path>& given) {
  Tokenizer tokenizer = Tokenizer::load(find_tokenizer(bundle.folder, given));
  check_vocabulary(bundle, tokenizer.vocab_size(), tokenizer.path().string());
  return tokenizer;
}

std::vector<Encoding> tokenize(const Tokenizer& tokenizer, const std::vector<Example>& examples,
                               size_t max_length) {
  constexpr size_t kBlock = 64;  // examples per unit of parallel work
  std::vector<Encoding> encodings(examples.size());
  parallel_for((examples.size() + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t end = std::min(examples.size(), (block + 1) * kBlock);
    for (size_t e = block * kBlock; e < end; ++e)
      encodings[e] = tokenizer.encode(examples[e].text, examples[e].pair, max_length);
  });
  return encodings;
}

size_t count_tokens(const std::vector<Encoding>& encodings) {
  size_t tokens = 0;
  for (const auto& encoding : encodings) tokens += encoding.ids.size();
  return tokens;
}

}  // namespace fp8q
