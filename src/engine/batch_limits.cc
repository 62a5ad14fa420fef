#include "engine/batch_limits.h"

#include <algorithm>

#include "base/error.h"
#include "engine/embedding_table.h"

namespace fp8q {

BatchLimits::BatchLimits(const Encoder& encoder) {
  const Embeddings& e = encoder.embeddings;
  const RowReader word(e.word, "word embeddings"), position(e.position, "position embeddings");
  words_ = word.rows();
  const int64_t last = encoder.max_positions > 0 ? encoder.max_positions : position.rows();
  positions_ = std::min(last, position.rows() - e.position_rule.first);
  bool same_width = position.width() == word.width();
  if (e.token_type) {
    const RowReader type(*e.token_type, "token type embeddings");
    same_width = same_width && type.width() == word.width();
    if (!encoder.token_type_input.empty()) token_types_ = type.rows();
  }
  if (!same_width) fail(ErrorCode::bad_model, "the embedding tables have different widths");
  const int64_t lowest = e.position_rule.first - (e.position_rule.padding_id ? 1 : 0);
  if (lowest < 0)
    fail(ErrorCode::unsupported, "positions start at {}, before the position table", lowest);
  masked_id_ = encoder.masked_id;
}

void BatchLimits::check_sequence(const PackedBatch& batch, size_t sequence) const {
  const int32_t from = batch.offsets[sequence], to = batch.offsets[sequence + 1];
  if (from < 0 || to <= from || to > static_cast<int32_t>(batch.tokens()))
    fail(ErrorCode::bad_data, "sequence {} has no tokens", sequence);
  if (to - from > positions_)
    fail(ErrorCode::bad_data, "sequence {} has {} tokens; the model takes at most {}", sequence,
         to - from, positions_);
  for (auto t = static_cast<size_t>(from); t < static_cast<size_t>(to); ++t) {
    if (batch.ids[t] < 0 || batch.ids[t] >= words_)
      fail(ErrorCode::bad_data,
           "sequence {}: token id {} is outside the vocabulary of {}; is the tokenizer that of the "
           "model?",
           sequence, batch.ids[t], words_);
    if (batch.ids[t] == masked_id_)
      fail(ErrorCode::unsupported,
           "sequence {}: token {} is the padding token (id {}), which the model's graph leaves out "
           "of attention; the interpreter runs it",
           sequence, t - static_cast<size_t>(from), batch.ids[t]);
    if (!token_types_) continue;
    if (batch.type_ids[t] < 0 || batch.type_ids[t] >= *token_types_)
      fail(ErrorCode::bad_data, "sequence {}: token type {} where the model has {}", sequence,
           batch.type_ids[t], *token_types_);
  }
}

void BatchLimits::check(const PackedBatch& batch) const {
  if (batch.offsets.empty() || batch.offsets.front() != 0 ||
      batch.offsets.back() != static_cast<int32_t>(batch.tokens()) ||
      batch.type_ids.size() != batch.tokens())
    fail(ErrorCode::bad_data, "the batch's offsets, ids and token types do not fit together");
  for (size_t s = 0; s < batch.sequences(); ++s) check_sequence(batch, s);
}

}  // namespace fp8q
