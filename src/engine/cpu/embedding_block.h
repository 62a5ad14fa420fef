// The embeddings of an Encoder: rows looked up and summed, LayerNorm.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q {

// Rows of a table as FP32, converted while they are read. Shares the table's payload.
class RowReader {
 public:
  RowReader(const EmbeddingTable& table, const std::string& what);
  void read(int64_t row, float* to) const;
  int64_t rows() const { return rows_.dim(0); }
  size_t width() const { return static_cast<size_t>(rows_.dim(1)); }

 private:
  Tensor rows_;
  std::vector<float> scales_;
};

struct NormWeights {
  explicit NormWeights(const LayerNorm& norm, size_t width);
  std::vector<float> gamma, beta;
  float epsilon;
};

class EmbeddingBlock {
 public:
  explicit EmbeddingBlock(const Encoder& encoder);

  // Error (bad_data) naming the limit where an id or a length exceeds it.
  void check(const PackedBatch& batch) const;
  // Rows of the tokens [from, to) of the batch; `positions` has the position of each of them.
  struct Run {
    std::span<const int32_t> ids, type_ids, positions;
    float* out;  // [tokens, width]
  };
  void run(const Run& args) const;
  size_t width() const { return word_.width(); }

 private:
  void check_sequence(const PackedBatch& batch, size_t sequence) const;

  RowReader word_, position_;
  std::optional<RowReader> token_type_;
  bool has_type_input_;
  int64_t position_offset_, max_positions_;
  NormWeights norm_;
};

}  // namespace fp8q
