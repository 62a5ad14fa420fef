// Computes attention over packed sequences: context = softmax(q k^T * scale) v for every sequence
// and head.
//
// Operands are made while q, k, v are read: y = sums (see Sums), times `factor`, rounded as
// Rounding says. In the products every operand is FP16. It is the value of a code, which FP16 holds
// exactly for E4M3, E5M2 and INT8, or an unquantized value rounded to FP16 (saturated). So products
// are exact and sums FP32 on every GPU with tensor cores. Hopper's FP8 units would keep 14 bits of
// a sum, and gain little here: these products are 3 to 8 % of BERT's operations.
//
// Softmax is FP32, in two passes over the keys. The first finds each row's maximum and sum; the
// second computes the probabilities, which are quantized as they stand (normalized), exactly as a
// Plan means.
#pragma once

#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

struct AttentionOperand {
  float factor = 1;  // multiplies the projection before it is rounded
  std::optional<Format> format;
  float scale = 1;
};

// Describes the rows [first_row, first_row + rows) of a sequence, which are the work of one thread
// block.
struct AttentionTile {
  int32_t first_token;  // first token of the sequence
  int32_t tokens;       // number of tokens of the sequence
  int32_t first_row;    // first query row of this tile
  int32_t rows;
};

struct Attention {
  Sums qkv[3];                   // [tokens, heads * head_size] each, all BF16 or all INT32
  int64_t qkv_stride;            // elements from row to row, for all three
  const AttentionTile* tiles;    // device memory
  const int32_t* tile_count;     // device memory: number of tiles that are real
  int64_t most_tiles;            // number of tiles that the launch covers
  int64_t longest;               // most tokens of a sequence
  int64_t heads, head_size;      // head_size: 32, 64 or 128
  float scale;                   // multiplies q k^T
  AttentionOperand operands[3];  // query, key, value
  AttentionOperand probabilities;
  int64_t shared_limit;  // bytes of shared memory a block may have
  Operand out;           // [tokens, heads * head_size]; not per_token, since a block has one head
  // Observers get the context, and the probabilities before they are quantized. The probabilities
  // of tile i's sequence are [heads, tokens, tokens] from probability_offsets[i] on.
  float* values = nullptr;
  float* probability_values = nullptr;
  const int64_t* probability_offsets = nullptr;
};
void attention(const Attention& args, Stream stream) noexcept;

// Returns the number of warps of a thread block, 4 or 8. Keys and values of long sequences leave
// room for few blocks on a multiprocessor. Eight warps to a block then keep more warps there, which
// hide each other's waiting. If the same number of warps is resident either way, smaller blocks
// spread the work more evenly.
int attention_warps(int64_t longest, int64_t head_size, int64_t shared_limit);

// The smallest thread block works on this many query rows at a time. A tile may have any number of
// them.
inline constexpr int32_t kAttentionRows = 64;

}  // namespace fp8q::cuda
