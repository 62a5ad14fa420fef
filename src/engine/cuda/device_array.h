// Copies constants of a model to device memory.
#pragma once

#include <vector>

#include "engine/cuda/runtime.h"

namespace fp8q::cuda {

// Returns a copy of `values` after waiting until it is there. Empty values give an empty buffer
// (nullptr).
template <typename T>
DeviceBuffer<T> upload(const std::vector<T>& values, std::string_view purpose) {
  DeviceBuffer<T> buffer;
  if (values.empty()) return buffer;
  buffer.grow(values.size(), purpose);
  copy_to_device(buffer.data(), values.data(), values.size() * sizeof(T), nullptr);
  check(cudaStreamSynchronize(nullptr), purpose);
  return buffer;
}

}  // namespace fp8q::cuda
