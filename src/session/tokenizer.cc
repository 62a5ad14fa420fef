#include "session/tokenizer.h"

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

Tokenizer tokenizer_for(const Bundle& bundle, const SideFiles& given) {
  Tokenizer tokenizer = Tokenizer::load(find_tokenizer(bundle.folder, given));
  check_vocabulary(bundle, tokenizer.vocab_size(), tokenizer.path().string());
  return tokenizer;
}

}  // namespace fp8q
