// Measures where the time of a forward pass goes, by events between its kernels. Kernels are
// launched one by one, so that with few tokens the times include the host's launching.
#pragma once

#include <vector>

#include "engine/cuda/forward.h"

namespace fp8q::cuda {

class StageTimer final : public Watcher {
 public:
  explicit StageTimer(Stream stream);
  void after(Stage stage, const GpuLinear* linear) override;
  // Returns the times of all stages since the timer was made, in their order. `batch` determines
  // the operations. Waits for the stream.
  std::vector<StageTime> times(const PackedBatch& batch, const GpuEncoder& encoder) const;

 private:
  struct Lap {
    Stage stage;
    const GpuLinear* linear;
    Event end;
  };
  Stream stream_;
  Event start_;
  std::vector<Lap> laps_;
};

// Returns what the device's tensor cores can do at their highest clock, or nothing if that is not
// known.
std::vector<Roof> roofs_of(const DeviceInfo& device);

}  // namespace fp8q::cuda
