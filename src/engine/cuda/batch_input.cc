#include "engine/cuda/batch_input.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/position_rows.h"

namespace fp8q::cuda {
namespace {

constexpr int64_t kAlignment = 16;

int64_t round_up(int64_t x, int64_t unit) { return (x + unit - 1) / unit * unit; }

int64_t length_of(const PackedBatch& batch, size_t sequence) {
  return batch.offsets[sequence + 1] - batch.offsets[sequence];
}

int64_t tiles_of(const PackedBatch& batch, const MicroBatch& micro, int64_t rows) {
  int64_t tiles = 0;
  for (size_t s = micro.first; s < micro.first + micro.sequences; ++s)
    tiles += (length_of(batch, s) + rows - 1) / rows;
  return tiles;
}

}  // namespace

std::vector<MicroBatch> divide(const PackedBatch& batch, int64_t budget) {
  std::vector<MicroBatch> parts;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const int64_t length = length_of(batch, s);
    if (parts.empty() || parts.back().tokens + length > budget)
      parts.push_back({.first = s, .first_token = batch.offsets[s]});
    MicroBatch& micro = parts.back();
    ++micro.sequences;
    micro.tokens += length;
    micro.longest = std::max(micro.longest, length);
  }
  return parts;
}

int32_t rows_per_tile(const PackedBatch& batch, const MicroBatch& micro, int64_t heads,
                      int multiprocessors) {
  constexpr int64_t kBlocksPerMultiprocessor = 4;
  int64_t rows = round_up(micro.longest, kAttentionRows);
  while (rows > kAttentionRows &&
         tiles_of(batch, micro, rows) * heads < kBlocksPerMultiprocessor * multiprocessors)
    rows = round_up(rows / 2, kAttentionRows);
  return static_cast<int32_t>(rows);
}

Bucket bucket_for(const MicroBatch& micro) {
  // Sizes go in steps of an eighth: at most that share of the work is wasted, and few graphs are
  // made.
  const auto size = std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(micro.tokens, 1)));
  const int64_t step = std::max<int64_t>(16, static_cast<int64_t>(size) / 16);
  Bucket bucket;
  bucket.tokens = round_up(micro.tokens, step);
  bucket.sequences = static_cast<int64_t>(std::bit_ceil(micro.sequences));
  bucket.longest = round_up(micro.longest, kAttentionRows);
  bucket.tiles = bucket.tokens / kAttentionRows + bucket.sequences;
  return bucket;
}

BatchInput::BatchInput(void* block, const Bucket& bucket) {
  auto* at = static_cast<std::byte*>(block);
  const auto take = [&]<typename T>(T*& pointer, int64_t count) {
    pointer = reinterpret_cast<T*>(at);
    at += round_up(count * static_cast<int64_t>(sizeof(T)), kAlignment);
  };
  take(ids, bucket.tokens);
  take(type_ids, bucket.tokens);
  take(positions, bucket.tokens);
  take(first_tokens, bucket.sequences);
  take(tile_count, 1);
  take(tiles, bucket.tiles);
  take(probability_offsets, bucket.tiles);
}

size_t BatchInput::bytes(const Bucket& bucket) {
  alignas(kAlignment) static std::byte start;
  const BatchInput block(&start, bucket);
  const auto* end = reinterpret_cast<const std::byte*>(block.probability_offsets + bucket.tiles);
  return static_cast<size_t>(round_up(end - &start, kAlignment));
}

int64_t fill(const PackedBatch& batch, const MicroBatch& micro, const Bucket& bucket,
             const PositionRule& positions, int64_t heads, int32_t tile_rows,
             const BatchInput& to) {
  std::memset(to.ids, 0, BatchInput::bytes(bucket));
  std::fill_n(to.positions, bucket.tokens, static_cast<int32_t>(positions.first));
  const auto tokens = static_cast<size_t>(micro.tokens);
  std::memcpy(to.ids, batch.ids.data() + micro.first_token, tokens * sizeof(int32_t));
  std::memcpy(to.type_ids, batch.type_ids.data() + micro.first_token, tokens * sizeof(int32_t));

  position_rows(positions, std::span(to.ids, tokens),
                std::span(batch.offsets).subspan(micro.first, micro.sequences + 1), to.positions);

  int64_t probabilities = 0;
  int32_t tiles = 0;
  for (size_t s = 0; s < micro.sequences; ++s) {
    const auto length = static_cast<int32_t>(length_of(batch, micro.first + s));
    const auto first = static_cast<int32_t>(batch.offsets[micro.first + s] - micro.first_token);
    to.first_tokens[s] = first;
    for (int32_t row = 0; row < length; row += tile_rows) {
      to.tiles[tiles] = {first, length, row, std::min(tile_rows, length - row)};
      to.probability_offsets[tiles++] = probabilities;
    }
    probabilities += heads * int64_t{length} * length;
  }
  *to.tile_count = tiles;
  return probabilities;
}

}  // namespace fp8q::cuda
