// Makes the batches of text for commands that need no labels.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "text/tokenizer.h"

namespace fp8q {

// A batch has at most `sequences` sequences, and at most kBatchTokens tokens unless one sequence
// alone has more. This bounds the memory that commands need for one batch.
inline constexpr size_t kBatchTokens = 4096;
std::vector<PackedBatch> batches_of(const std::vector<Encoding>& encodings, size_t sequences);

}  // namespace fp8q
