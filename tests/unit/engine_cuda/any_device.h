// Supports tests that run on the simulated device and, compiled again, on a GPU.
#pragma once

#include <gtest/gtest.h>

#include "engine/cuda/cublaslt.h"
#include "engine/cuda/runtime.h"

#ifdef FP8Q_CUDA_SIMULATION
#include "tests/cuda_sim/simulated_test.h"
#endif

namespace fp8q::test {

#ifdef FP8Q_CUDA_SIMULATION

using DeviceTest = sim::SimulatedTest;
inline const cuda::CublasLt& device_table() { return sim::cublaslt(); }
// Sums do not depend on the number of tokens.
inline constexpr double kPackingTolerance = 0;

#else

class DeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto search = cuda::find_device();
    if (!search.device) GTEST_SKIP() << "no GPU to test on: " << search.reason;
  }
};
inline const cuda::CublasLt& device_table() { return cuda::load_cublaslt(); }
// Another algorithm adds in another order, and a value at a rounding boundary takes the next code.
// One step of E4M3 at 3 is 0.25, times a weight.
inline constexpr double kPackingTolerance = 0.5;

#endif

}  // namespace fp8q::test
