// Defines the base of tests on the simulated device. Each test begins with an H100 and a cuBLASLt
// as new, and fails if it leaves memory or handles behind.
#pragma once

#include <gtest/gtest.h>

#include "tests/cuda_sim/cublaslt_sim.h"
#include "tests/cuda_sim/sim.h"

namespace fp8q::sim {

class SimulatedTest : public testing::Test {
 protected:
  SimulatedTest() {
    reset();
    reset_cublaslt();
  }
  ~SimulatedTest() override {
    EXPECT_EQ(reset(), "") << "left behind";
    EXPECT_EQ(reset_cublaslt(), 0u) << "cuBLASLt handles left behind";
  }
};

}  // namespace fp8q::sim
