// Text of commands that need no labels, in the batches that are run.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "text/tokenizer.h"

namespace fp8q {

// At most `sequences` in a batch, and at most kBatchTokens tokens unless one sequence alone has
// more: what commands hold of one batch is bounded by it.
inline constexpr size_t kBatchTokens = 4096;
std::vector<PackedBatch> batches_of(const std::vector<Encoding>& encodings, size_t sequences);

}  // namespace fp8q
