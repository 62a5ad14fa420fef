// Computes the embeddings of an Encoder: looks up rows, sums them and applies LayerNorm.
#pragma once

#include <optional>
#include <span>

#include "encoder/encoder.h"
#include "engine/cpu/operand.h"
#include "engine/embedding_table.h"
#include "engine/weights.h"

namespace fp8q::cpu {

// Computes out = norm(x + residual), in dense rows. `residual` may be nullptr, and `out` may be x
// or residual.
struct NormedRows {
  const float* x;
  const float* residual = nullptr;
  float* out;
  size_t rows;
};
void norm_rows(const NormWeights& norm, const NormedRows& args);

class EmbeddingBlock {
 public:
  // `encoder` must be one that BatchLimits accepts.
  explicit EmbeddingBlock(const Encoder& encoder);

  // Makes the rows of packed tokens.
  struct Run {
    std::span<const int32_t> ids, type_ids;
    std::span<const int32_t> offsets;  // [sequences + 1], the first is 0
    float* out;                        // [tokens, width]
    const RowSink* feed = nullptr;     // also gets what run() makes
  };
  void run(const Run& args) const;
  // These two do the work of run() in two steps: the sums, then their LayerNorm in place.
  void sum(const Run& args) const;
  void normalize(float* rows, size_t count) const;
  int sum_site() const { return sum_site_; }
  size_t width() const { return word_.width(); }
  // Returns the number of positions. No sequence has more tokens.
  size_t positions() const { return static_cast<size_t>(position_.rows() - position_rule_.first); }

 private:
  void run_blocks(const Run& args, bool normalized) const;

  RowReader word_, position_;
  std::optional<RowReader> token_type_;
  bool has_type_input_;
  PositionRule position_rule_;
  NormWeights norm_;
  int sum_site_;
};

}  // namespace fp8q::cpu
