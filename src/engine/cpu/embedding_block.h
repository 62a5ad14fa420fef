// The embeddings of an Encoder: rows looked up and summed, LayerNorm.
#pragma once

#include <optional>
#include <span>

#include "encoder/encoder.h"
#include "engine/cpu/operand.h"
#include "engine/embedding_table.h"
#include "engine/weights.h"

namespace fp8q::cpu {

// out = norm(x + residual), dense rows; residual may be nullptr, out may be x or residual.
struct NormedRows {
  const float* x;
  const float* residual = nullptr;
  float* out;
  size_t rows;
};
void norm_rows(const NormWeights& norm, const NormedRows& args);

class EmbeddingBlock {
 public:
  // Of an encoder that BatchLimits takes.
  explicit EmbeddingBlock(const Encoder& encoder);

  // Rows of tokens; `positions` has the position of each of them in its sequence.
  struct Run {
    std::span<const int32_t> ids, type_ids, positions;
    float* out;                        // [tokens, width]
    const LinearFeed* feed = nullptr;  // gets what run() makes, too
  };
  void run(const Run& args) const;
  // The same in two steps: the sums, and their LayerNorm in place.
  void sum(const Run& args) const;
  void normalize(float* rows, size_t count) const;
  int sum_site() const { return sum_site_; }
  size_t width() const { return word_.width(); }

 private:
  void run_blocks(const Run& args, bool normalized) const;

  RowReader word_, position_;
  std::optional<RowReader> token_type_;
  bool has_type_input_;
  int64_t position_offset_;
  NormWeights norm_;
  int sum_site_;
};

}  // namespace fp8q::cpu
