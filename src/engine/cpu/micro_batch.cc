#include "engine/cpu/micro_batch.h"

#include <algorithm>

#include "base/threads.h"

namespace fp8q {
namespace {

// Tokens processed together: at most as many as keep the buffers of a layer (MiniLM: 9 kB a token)
// in the cache, at least as many as make full product kernels and use each weight often.
constexpr size_t kMostTokens = 512, kLeastTokens = 96;

MicroBatch next(const PackedBatch& batch, size_t sequence, size_t budget) {
  const auto at = [&](size_t s) { return static_cast<size_t>(batch.offsets[s]); };
  size_t end = sequence + 1;
  while (end < batch.sequences() && at(end + 1) - at(sequence) <= budget) ++end;
  MicroBatch m{sequence, at(sequence), end - sequence, at(end) - at(sequence), {}, {}};
  for (size_t s = sequence; s <= end; ++s)
    m.offsets.push_back(static_cast<int32_t>(at(s) - m.first_token));
  for (size_t s = sequence; s < end; ++s)
    for (size_t t = at(s); t < at(s + 1); ++t)
      m.positions.push_back(static_cast<int32_t>(t - at(s)));
  return m;
}

std::vector<MicroBatch> of_tokens(const PackedBatch& batch, size_t budget) {
  std::vector<MicroBatch> micros;
  for (size_t s = 0; s < batch.sequences(); s += micros.back().sequences)
    micros.push_back(next(batch, s, budget));
  return micros;
}

}  // namespace

void Division::for_each(const std::function<void(size_t)>& body) const {
  if (side_by_side) return parallel_for(micros.size(), body);
  for (size_t i = 0; i < micros.size(); ++i) body(i);
}

Division divide(const PackedBatch& batch, bool in_order) {
  const auto workers = static_cast<size_t>(threads());
  const size_t share = batch.tokens() / workers;
  if (!in_order && workers > 1 && share >= kLeastTokens) {
    // Four for each thread, so that all end at about the same time.
    auto micros = of_tokens(batch, std::clamp(share / 4, kLeastTokens, kMostTokens));
    if (micros.size() >= workers) return {std::move(micros), true};
  }
  return {of_tokens(batch, kMostTokens), false};
}

}  // namespace fp8q
