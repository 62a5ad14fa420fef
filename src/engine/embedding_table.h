// Reads rows of an Encoder's embedding tables, whatever type the model stores them in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"

namespace fp8q {

// Reads rows of a table as FP32; they are converted while they are read. A RowReader shares the
// table's payload.
class RowReader {
 public:
  // Throws an Error (bad_model, unsupported) that names `what` if the table's shape, type or scales
  // are wrong.
  RowReader(const EmbeddingTable& table, const std::string& what);
  void read(int64_t row, float* to) const;
  int64_t rows() const { return rows_.dim(0); }
  size_t width() const { return static_cast<size_t>(rows_.dim(1)); }

 private:
  Tensor rows_;
  std::optional<Format> format_;  // of codes, whose rows have scales_; nullopt: rows are floats
  std::vector<float> scales_;
};

}  // namespace fp8q
