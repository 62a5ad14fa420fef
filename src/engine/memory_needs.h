// Tells how much memory the CPU engine takes, from the shapes of an Encoder alone. Numbers are
// bounds of anonymous memory (base/memory.h).
#pragma once

#include <cstdint>

#include "encoder/encoder.h"
#include "engine/engine.h"

namespace fp8q {

struct EngineNeeds {
  uint64_t weights = 0;  // packed weights, as long as the engine lives
  uint64_t packing = 0;  // in addition, while a layer is packed
};
// The weights must be finite: others are packed as FP32.
EngineNeeds cpu_engine_needs(const Encoder& encoder, ComputeType compute);

// Says who sees the values at Sites during runs.
enum class Watching { nobody, observer, transforms };

// Describes the runs of an engine.
struct RunShape {
  size_t sequences = 1;  // of the largest batch
  size_t tokens = 1;     // of the largest batch
  size_t longest = 1;    // tokens of the longest sequence
  Watching watching = Watching::nobody;
};
// Returns what runs take besides the engine: what is under way, and the outputs of one batch.
uint64_t cpu_run_needs(const Encoder& encoder, ComputeType compute, const RunShape& shape);

// Returns the bytes of the values at all activation Sites, for each token of sequences of at most
// `longest` tokens.
uint64_t site_bytes_of_token(const Encoder& encoder, size_t longest);

}  // namespace fp8q
