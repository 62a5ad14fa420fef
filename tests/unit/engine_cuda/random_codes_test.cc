#include "engine/cuda/random_codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/cuda_sim/simulated_test.h"
#include "tests/unit/engine_cuda/engine_cuda_testing.h"

namespace fp8q::cuda {
namespace {

using RandomCodes = sim::SimulatedTest;

TEST_F(RandomCodes, AreFiniteAndSpreadOverTheFormat) {
  constexpr size_t kElements = 1 << 21;  // more than a period
  const StreamHandle stream;
  for (const OperandType type : kOperandTypes) {
    const auto size = static_cast<size_t>(element_size(type));
    const DeviceBuffer<uint8_t> memory(kElements * size, "codes");
    fill_with_random_codes(type, memory.data(), kElements * size, stream.get());
    std::vector<uint8_t> bytes(kElements * size);
    copy_to_host(bytes.data(), memory.data(), bytes.size(), nullptr);
    double sum = 0, squares = 0, largest = 0;
    for (size_t i = 0; i < kElements; ++i) {
      uint16_t element = bytes[i * size];
      if (size == 2) element = static_cast<uint16_t>(element | bytes[2 * i + 1] << 8);
      const double value = value_of(type, element);
      ASSERT_TRUE(std::isfinite(value)) << i;
      sum += value;
      squares += value * value;
      largest = std::max(largest, std::fabs(value));
    }
    const double deviation = std::sqrt(squares / kElements);
    EXPECT_NEAR(sum / kElements, 0, 0.01 * deviation);
    EXPECT_GT(largest, 4 * deviation);
    EXPECT_LT(largest, 6 * deviation);
  }
}

}  // namespace
}  // namespace fp8q::cuda
