// A micro-batch as the kernels read it, in one block of memory that is copied at once.
#pragma once

#include <compare>
#include <cstdint>

#include "engine/engine.h"
#include "kernels/cuda/attention.h"

namespace fp8q::cuda {

// Sizes that a captured graph is made for: at least those of the micro-batches it runs. Tokens
// beyond a micro-batch's own are computed (as word 0) and not looked at.
struct Bucket {
  int64_t tokens = 0, sequences = 0, tiles = 0, longest = 0;
  friend auto operator<=>(const Bucket&, const Bucket&) = default;
};

// Whole sequences [first, first + sequences) of a batch.
struct Part {
  size_t first = 0, sequences = 0;
  int64_t first_token = 0, tokens = 0, longest = 0;
};

// The parts of a batch, each of at most `budget` tokens or of one sequence.
std::vector<Part> divide(const PackedBatch& batch, int64_t budget);

// Query rows for each tile of attention: as many as keep every multiprocessor busy, since a tile
// brings the keys and values of its sequence again.
int32_t rows_per_tile(const PackedBatch& batch, const Part& part, int64_t heads,
                      int multiprocessors);

Bucket bucket_for(const Part& part);

// Pointers into a block, of the device or of the host.
struct BatchInput {
  int32_t *ids, *type_ids, *positions;  // [bucket.tokens]
  int32_t* first_tokens;                // [bucket.sequences]
  int32_t* tile_count;
  AttentionTile* tiles;          // [bucket.tiles]
  int64_t* probability_offsets;  // [bucket.tiles], for observers

  BatchInput(void* block, const Bucket& bucket);
  static size_t bytes(const Bucket& bucket);
};

// Fills a host block. Returns the elements of all probabilities, [heads, tokens, tokens] of each
// sequence.
int64_t fill(const PackedBatch& batch, const Part& part, const Bucket& bucket,
             int64_t position_offset, int64_t heads, int32_t tile_rows, const BatchInput& to);

}  // namespace fp8q::cuda
