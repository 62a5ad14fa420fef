#include "engine/engine.h"

#include <chrono>

#include "base/error.h"

namespace fp8q {

void PackedBatch::append(std::span<const int32_t> sequence_ids,
                         std::span<const int32_t> sequence_type_ids) {
  FP8Q_ASSERT(sequence_type_ids.empty() || sequence_type_ids.size() == sequence_ids.size());
  ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
  type_ids.insert(type_ids.end(), sequence_type_ids.begin(), sequence_type_ids.end());
  type_ids.resize(ids.size(), 0);
  offsets.push_back(static_cast<int32_t>(ids.size()));
}

double Engine::timed_run(const PackedBatch& batch) {
  const auto start = std::chrono::steady_clock::now();
  run(batch);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace fp8q
