#include "session/tokenizer.h"

#include <algorithm>

#include "base/error.h"

namespace fp8q {
namespace {

void check_vocabulary(const Bundle& bundle, int32_t vocab_size, const std::string& tokenizer) {
  if (!bundle.encoder) return;
  const int64_t rows = bundle.encoder->embeddings.word.rows.dim(0);
  if (vocab_size > rows)
    fail(ErrorCode::bad_data,
         "{}: the tokenizer has {} ids, but the word embedding of {} has {} rows; give the model's "
         "own tokenizer with --tokenizer",
         printable(tokenizer), vocab_size, printable(bundle.file.path.string()), rows);
}

}  // namespace

Tokenizer tokenizer_for(const Bundle& bundle, const SideFiles& given,
                        std::vector<std::string>& notes) {
  Tokenizer tokenizer = Tokenizer::load(find_tokenizer(bundle.folder, given));
  check_vocabulary(bundle, tokenizer.vocab_size(), tokenizer.path().string());
  for (const std::string& note : tokenizer.notes())
    if (std::ranges::find(notes, note) == notes.end()) notes.push_back(note);
  return tokenizer;
}

size_t sequence_length(const Bundle& bundle, const Tokenizer& tokenizer,
                       std::optional<size_t> asked, size_t usual, std::vector<std::string>& notes) {
  const size_t length = asked.value_or(usual);
  const size_t allowed = tokenizer.max_length().value_or(length);
  if (allowed >= length) return usable_length(bundle, length, notes);
  notes.push_back(fmt::format(
      "tokenizer_config.json allows {} tokens (\"model_max_length\"); {}", allowed,
      asked ? fmt::format("with --max-length, examples are cut at {}", length)
            : fmt::format("examples are cut there and not at {} (--max-length)", length)));
  return usable_length(bundle, asked ? length : allowed, notes);
}

}  // namespace fp8q
