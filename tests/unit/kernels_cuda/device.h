// Provides device memory for kernel tests, the same on a GPU and in the simulation
// (tests/cuda_sim).
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "numeric/format.h"

namespace fp8q::test {

// Skips a test if there is no GPU. In the simulation there always is one.
#define FP8Q_NEED_DEVICE()                                                    \
  if (int count = 0; cudaGetDeviceCount(&count) != cudaSuccess || count == 0) \
  GTEST_SKIP() << "no GPU; the same tests run in the simulation (kernels_cuda_sim_test)"

inline void expect_ok(cudaError_t error) {
  EXPECT_EQ(error, cudaSuccess) << cudaGetErrorString(error);
}

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t size) : size_(size) {
    expect_ok(cudaMalloc(&data_, size * sizeof(T)));
    expect_ok(cudaMemset(data_, 0xFF, size * sizeof(T)));  // NaN: what is not written shows
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) {
    expect_ok(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { cudaFree(data_); }

  T* data() { return static_cast<T*>(data_); }
  std::vector<T> read() const {
    std::vector<T> values(size_);
    expect_ok(cudaDeviceSynchronize());
    expect_ok(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  void* data_ = nullptr;
  size_t size_;
};

inline std::vector<float> random_floats(size_t size, unsigned seed, float sigma = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, sigma);
  std::vector<float> values(size);
  for (float& v : values) v = normal(random);
  return values;
}

inline std::vector<uint16_t> to_bf16(const std::vector<float>& values) {
  std::vector<uint16_t> bits;
  for (const float v : values) bits.push_back(static_cast<uint16_t>(BFloat16Codec::encode(v)));
  return bits;
}

inline float bf16_value(uint16_t bits) { return BFloat16Codec::decode(bits); }

}  // namespace fp8q::test
