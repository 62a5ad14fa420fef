#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cuda/runtime.h"
#include "tests/cuda_sim/simulated_test.h"

namespace fp8q::cuda {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using FindDevice = sim::SimulatedTest;

std::string reason_of(const sim::DeviceModel& model) {
  sim::set_device(model);
  const DeviceSearch search = find_device();
  EXPECT_FALSE(search.device);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
  EXPECT_EQ(search.reason.find('\n'), std::string::npos);
  return search.reason;
}

TEST_F(FindDevice, ReadsTheDevicesFacts) {
  const DeviceSearch search = find_device();
  ASSERT_TRUE(search.device) << search.reason;
  EXPECT_EQ(search.reason, "");
  const DeviceInfo& info = *search.device;
  EXPECT_EQ(info.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(info.capability(), 90);
  EXPECT_EQ(info.multiprocessors, 132);
  EXPECT_EQ(info.clock_hz, 1.98e9);
  EXPECT_EQ(info.l2_bytes, size_t{50} << 20);
  EXPECT_EQ(info.memory_bytes, size_t{80} << 30);
  EXPECT_NEAR(info.memory_bytes_per_s, 3.352e12, 1e9);  // 2 x 2619 MHz x 5120 bits
  EXPECT_EQ(info.driver_version, 13000);
  EXPECT_EQ(info.runtime_version, 13000);
}

TEST_F(FindDevice, TakesLaterDevicesAndUnknownClocks) {
  sim::set_device({.name = "a B200", .major = 10, .minor = 0, .memory_clock_khz = 0});
  const DeviceSearch search = find_device();
  ASSERT_TRUE(search.device);
  EXPECT_EQ(search.device->capability(), 100);
  EXPECT_EQ(search.device->memory_bytes_per_s, 0);
}

TEST_F(FindDevice, AFactThatTheDriverDoesNotTellIsUnknown) {
  sim::fail_next("cudaDeviceGetAttribute", cudaErrorInvalidValue);
  const DeviceSearch search = find_device();
  ASSERT_TRUE(search.device);
  EXPECT_EQ(search.device->clock_hz, 0);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

TEST_F(FindDevice, SaysWhyThereIsNone) {
  EXPECT_THAT(reason_of({.state = cudaErrorInsufficientDriver, .driver_version = 0}),
              HasSubstr("no NVIDIA driver"));
  EXPECT_THAT(reason_of({.state = cudaErrorInsufficientDriver, .driver_version = 12040}),
              AllOf(HasSubstr("too old"), HasSubstr("CUDA 12.4"), HasSubstr("CUDA 13.0")));
  EXPECT_THAT(reason_of({.state = cudaErrorNoDevice}), HasSubstr("no NVIDIA GPU"));
  EXPECT_THAT(reason_of({.state = cudaErrorDevicesUnavailable}), HasSubstr("cannot be used"));
  EXPECT_THAT(reason_of({.name = "Tesla T4", .major = 7, .minor = 5}),
              AllOf(HasSubstr("Tesla T4"), HasSubstr("7.5"), HasSubstr("8.0")));
}

TEST_F(FindDevice, SaysThatAnIndexIsTooHigh) {
  EXPECT_THAT(find_device(1).reason, HasSubstr("there is no GPU 1, the last is 0"));
  EXPECT_FALSE(find_device(1).device);
}

TEST_F(FindDevice, SaysWhyTheDeviceCannotBeUsed) {
  for (const char* function : {"cudaSetDevice", "cudaGetDeviceProperties"}) {
    sim::fail_next(function, cudaErrorDevicesUnavailable);
    EXPECT_THAT(reason_of({}), HasSubstr("cannot be used")) << function;
  }
}

TEST_F(FindDevice, SaysThatTheBuildHasNoKernelsForTheDevice) {
  sim::fail_next("cudaFuncGetAttributes", cudaErrorNoKernelImageForDevice);
  EXPECT_THAT(reason_of({.name = "NVIDIA A100", .major = 8, .minor = 0}),
              AllOf(HasSubstr("NVIDIA A100"), HasSubstr("this build has kernels for"),
                    HasSubstr("FP8Q_CUDA_ARCHITECTURES")));
}

TEST(VersionText, HasMajorAndMinor) {
  EXPECT_EQ(version_text(13000), "13.0");
  EXPECT_EQ(version_text(12080), "12.8");
}

}  // namespace
}  // namespace fp8q::cuda
