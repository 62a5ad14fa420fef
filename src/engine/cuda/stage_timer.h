// Where the time of a forward pass goes, by events between its kernels. Kernels are launched one by
// one, so that at few tokens the host's launching shows in the times.
#pragma once

#include <vector>

#include "engine/cuda/forward.h"

namespace fp8q::cuda {

class StageTimer final : public Watcher {
 public:
  explicit StageTimer(Stream stream);
  void after(Stage stage, const GpuLinear* linear) override;
  // Of all stages since it was made, in their order; `batch` tells the operations. Waits.
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

// What the device's tensor cores do at their highest clock; empty where that is not known.
std::vector<Roof> roofs_of(const DeviceInfo& device);

}  // namespace fp8q::cuda
