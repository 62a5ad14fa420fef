// Says how the CPU engine divides a batch: into micro-batches of whole sequences, with few enough
// tokens that a layer's buffers stay in the cache.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/engine.h"

namespace fp8q::cpu {

// Describes some whole sequences of a batch.
struct MicroBatch {
  size_t first_sequence, first_token, sequences, tokens;
  std::vector<int32_t> offsets;
};

struct Division {
  std::vector<MicroBatch> micros;
  // If true, each thread takes its own micro-batches. Otherwise they come one after another, and
  // all threads share each.
  bool side_by_side = false;

  // Calls body(i) for every micro-batch.
  void for_each(const std::function<void(size_t)>& body) const;
};

// Divides side by side if there are enough tokens for all threads, unless `in_order`.
Division divide(const PackedBatch& batch, bool in_order);

// Bounds the tokens that are under way at once: `tokens` of each of `side_by_side` micro-batches.
struct UnderWay {
  size_t side_by_side, tokens;
};
// Returns a bound for every batch of at most `tokens` tokens, in sequences of at most `longest`.
UnderWay most_under_way(size_t tokens, size_t longest, bool in_order);

}  // namespace fp8q::cpu
