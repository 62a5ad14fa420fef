// Launching kernels, and their dynamic shared memory. The only places that differ between a GPU and
// the simulation that tests run on CPUs are this file and warp.cuh.
#pragma once

#ifdef FP8Q_CUDA_SIMULATION
#include "tests/cuda_sim/launch.h"
#else
#include <cuda_runtime.h>
#endif

#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

struct LaunchShape {
  dim3 grid;
  unsigned threads;
  size_t shared_bytes = 0;
};

#ifdef FP8Q_CUDA_SIMULATION

template <class Args>
void launch(void (*kernel)(Args), const LaunchShape& shape, Stream stream, const Args& args) {
  sim::launch({shape.grid, dim3(shape.threads), shape.shared_bytes}, stream,
              [kernel, args] { kernel(args); });
}

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(sim::dynamic_shared());
}

#else

// `kernel` may use more shared memory than the default of 48 KiB; then all of the multiprocessor's
// memory is to be shared memory rather than cache.
template <class Args>
void launch(void (*kernel)(Args), const LaunchShape& shape, Stream stream, const Args& args) {
  constexpr size_t kDefaultShared = 48 * 1024;
  if (shape.shared_bytes > kDefaultShared) {
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(shape.shared_bytes));
    cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                         cudaSharedmemCarveoutMaxShared);
  }
  cudaLaunchConfig_t config{};
  config.gridDim = shape.grid;
  config.blockDim = dim3(shape.threads);
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  cudaLaunchKernelEx(&config, kernel, args);
}

template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char bytes[];
  return reinterpret_cast<T*>(bytes);
}

#endif

}  // namespace fp8q::cuda
