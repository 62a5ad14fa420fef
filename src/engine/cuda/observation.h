// Shows an observer what a forward pass computes at its Sites, as Engine::run promises: real tokens
// only, the operands of attention one sequence after another.
#pragma once

#include <vector>

#include "engine/cuda/forward.h"

namespace fp8q::cuda {

class Observation final : public Watcher {
 public:
  // All arguments must outlive the object.
  Observation(const PackedBatch& batch, const MicroBatch& micro, int64_t heads,
              const SiteObserver& observer, const StreamHandle& stream);

  bool sees() const override { return true; }
  void see(const Seen& seen) override;

 private:
  void show(int site, const Seen& seen);
  void show_heads(int site, size_t head_size);
  void show_probabilities(int site);
  void show_first_tokens(int site, size_t columns);
  size_t first_token(size_t sequence) const;
  size_t tokens(size_t sequence) const;

  const PackedBatch& batch_;
  MicroBatch micro_;
  size_t heads_;
  const SiteObserver& observer_;
  const StreamHandle& stream_;
  std::vector<float> values_, gathered_;
};

}  // namespace fp8q::cuda
