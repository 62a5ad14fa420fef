// The embeddings of an Encoder: rows looked up and summed, LayerNorm.
#pragma once

#include <optional>
#include <span>

#include "encoder/encoder.h"
#include "engine/embedding_table.h"
#include "engine/weights.h"

namespace fp8q {

class EmbeddingBlock {
 public:
  // Of an encoder that BatchLimits takes.
  explicit EmbeddingBlock(const Encoder& encoder);

  // Rows of tokens; `positions` has the position of each of them in its sequence.
  struct Run {
    std::span<const int32_t> ids, type_ids, positions;
    float* out;  // [tokens, width]
  };
  void run(const Run& args) const;
  size_t width() const { return word_.width(); }

 private:
  RowReader word_, position_;
  std::optional<RowReader> token_type_;
  bool has_type_input_;
  int64_t position_offset_;
  NormWeights norm_;
};

}  // namespace fp8q
