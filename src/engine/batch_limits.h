// Checks the limits of what a batch may hold: ids within the tables of an Encoder, and lengths
// within its positions.
#pragma once

#include <optional>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q {

class BatchLimits {
 public:
  // Throws an Error (bad_model, unsupported) if the encoder's tables do not fit together.
  explicit BatchLimits(const Encoder& encoder);

  // Throws an Error (bad_data) that names the limit if an id or a length exceeds it. Throws an
  // Error (unsupported) if a token is one that the graph masks by its id, since engines attend to
  // every token.
  void check(const PackedBatch& batch) const;

 private:
  void check_sequence(const PackedBatch& batch, size_t sequence) const;

  int64_t words_, positions_;
  std::optional<int32_t> masked_id_;
  std::optional<int64_t> token_types_;  // nullopt: a batch's token types are not checked
};

}  // namespace fp8q
