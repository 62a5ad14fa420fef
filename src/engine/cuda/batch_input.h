// Holds a micro-batch as the kernels read it, in one block of memory that is copied in one step.
#pragma once

#include <compare>
#include <cstdint>

#include "engine/engine.h"
#include "kernels/cuda/attention.h"

namespace fp8q::cuda {

// Holds the sizes that a captured graph is made for. They are at least those of the micro-batches
// it runs. Tokens beyond those of a micro-batch are computed (as word 0) and ignored.
struct Bucket {
  int64_t tokens = 0, sequences = 0, tiles = 0, longest = 0;
  friend auto operator<=>(const Bucket&, const Bucket&) = default;
};

// Describes the whole sequences [first, first + sequences) of a batch.
struct MicroBatch {
  size_t first = 0, sequences = 0;
  int64_t first_token = 0, tokens = 0, longest = 0;
};

// Returns the parts of a batch, each of at most `budget` tokens or of one sequence.
std::vector<MicroBatch> divide(const PackedBatch& batch, int64_t budget);

// Returns the number of query rows for each tile of attention: as many as still keep every
// multiprocessor busy, since every tile loads the keys and values of its sequence again.
int32_t rows_per_tile(const PackedBatch& batch, const MicroBatch& micro, int64_t heads,
                      int multiprocessors);

Bucket bucket_for(const MicroBatch& micro);

// Points into a block in the memory of the device or of the host.
struct BatchInput {
  int32_t *ids, *type_ids, *positions;  // [bucket.tokens]
  int32_t* first_tokens;                // [bucket.sequences]
  int32_t* tile_count;
  AttentionTile* tiles;          // [bucket.tiles]
  int64_t* probability_offsets;  // [bucket.tiles], for observers

  BatchInput(void* block, const Bucket& bucket);
  static size_t bytes(const Bucket& bucket);
};

// Fills a block in host memory. Returns the number of elements of all probabilities, [heads,
// tokens, tokens] for each sequence.
int64_t fill(const PackedBatch& batch, const MicroBatch& micro, const Bucket& bucket,
             const PositionRule& positions, int64_t heads, int32_t tile_rows, const BatchInput& to);

}  // namespace fp8q::cuda
