#include "engine/cpu/micro_batch.h"

#include <algorithm>

#include "base/threads.h"

namespace fp8q::cpu {
namespace {

// These are limits on the tokens processed together: at most about as many as keep the buffers of a
// layer (MiniLM: 9 kB a token) in the cache, and at least as many as make full product kernels. A
// thread's share is divided into several parts, so that all threads end at about the same time even
// if some are slower. No part has too few tokens to use each weight often: with two parts of 256
// rather than four of 128, a MiniLM on Zen 3 took 5 % less time.
constexpr size_t kMostTokens = 512, kLeastTokens = 96;
constexpr size_t kMicrosPerThread = 4, kLeastTokensOfPart = 192;

size_t start_of(const PackedBatch& batch, size_t sequence) {
  return static_cast<size_t>(batch.offsets[sequence]);
}

MicroBatch micro_of(const PackedBatch& batch, size_t from, size_t to) {
  const size_t first = start_of(batch, from);
  MicroBatch m{from, first, to - from, start_of(batch, to) - first, {}};
  for (size_t s = from; s <= to; ++s)
    m.offsets.push_back(static_cast<int32_t>(start_of(batch, s) - first));
  return m;
}

// Puts as many sequences together as have at most kMostTokens tokens. A longer sequence is alone.
std::vector<MicroBatch> full_micros(const PackedBatch& batch) {
  std::vector<MicroBatch> micros;
  for (size_t from = 0, to = 0; from < batch.sequences(); from = to) {
    to = from + 1;
    while (to < batch.sequences() && start_of(batch, to + 1) - start_of(batch, from) <= kMostTokens)
      ++to;
    micros.push_back(micro_of(batch, from, to));
  }
  return micros;
}

// Returns parts whose numbers of tokens differ by no more than the length of a sequence.
std::vector<MicroBatch> even_micros(const PackedBatch& batch, size_t parts) {
  std::vector<MicroBatch> micros;
  size_t from = 0;
  for (size_t i = 1; i <= parts; ++i) {
    const auto target = static_cast<int32_t>(batch.tokens() * i / parts);
    const auto end = std::upper_bound(batch.offsets.begin(), batch.offsets.end(), target);
    const auto to = static_cast<size_t>(end - batch.offsets.begin()) - 1;
    if (to > from) micros.push_back(micro_of(batch, from, to));
    from = to;
  }
  return micros;
}

// Returns how many parts each thread's share of a batch is divided into; 0: it is not divided.
size_t parts_of_share(size_t share, size_t workers, bool in_order) {
  if (in_order || workers < 2 || share < kLeastTokens) return 0;
  return std::max({size_t{1}, std::min(kMicrosPerThread, share / kLeastTokensOfPart),
                   (share + kMostTokens - 1) / kMostTokens});
}

}  // namespace

void Division::for_each(const std::function<void(size_t)>& body) const {
  if (side_by_side) return parallel_for(micros.size(), body);
  for (size_t i = 0; i < micros.size(); ++i) body(i);
}

Division divide(const PackedBatch& batch, bool in_order) {
  const auto workers = static_cast<size_t>(threads());
  if (const size_t each = parts_of_share(batch.tokens() / workers, workers, in_order)) {
    auto micros = even_micros(batch, workers * each);
    if (micros.size() >= workers) return {std::move(micros), true};
  }
  return {full_micros(batch), false};
}

// An even part ends at most one sequence behind its share, and smaller batches have no larger ones.
UnderWay most_under_way(size_t tokens, size_t longest, bool in_order) {
  const auto workers = static_cast<size_t>(threads());
  const size_t one = std::min(tokens, std::max(kMostTokens, longest));
  if (!parts_of_share(tokens / workers, workers, in_order)) return {1, one};
  return {workers, std::min(tokens, std::min(kMostTokens, tokens / workers + 1) + longest)};
}

}  // namespace fp8q::cpu
