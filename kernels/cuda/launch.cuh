// Launches kernels and gives them dynamic shared memory. Only this file and warp.cuh differ between
// a GPU and the simulation that tests run on CPUs.
#pragma once

#ifdef FP8Q_CUDA_SIMULATION
#include "tests/cuda_sim/launch.h"
#else
#include <cuda_runtime.h>

#include <cstdlib>
#include <string_view>
#endif

#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

struct LaunchShape {
  dim3 grid;
  unsigned threads;
  size_t shared_bytes = 0;
  // Is true if the stream's work before this launch is a kernel, not a copy: see wait_for_inputs().
  bool follows_kernel = true;
};

#ifdef FP8Q_CUDA_SIMULATION

template <class Args>
void launch(void (*kernel)(Args), const LaunchShape& shape, Stream stream, const Args& args) {
  sim::launch({shape.grid, dim3(shape.threads), shape.shared_bytes}, stream, [kernel, args] {
    kernel(args);
    sim::require_wait_for_inputs();
  });
}

inline void wait_for_inputs() { sim::wait_for_inputs(); }

template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(sim::dynamic_shared());
}

#else

// Implements programmatic dependent launch (CUDA programming guide; Hopper and later). The blocks
// of a kernel are brought onto the multiprocessors while the previous kernel finishes. The time of
// a launch, which is much of a pass over few tokens, then overlaps with work.
//
// This is the first statement of every kernel, in every thread, before any access to memory and any
// return. Therefore:
//  - Nothing is read before the previous kernel has finished and its writes are visible. Nothing
//    is written that it may still read. griddepcontrol.wait waits for that.
//  - The same holds for all earlier kernels, because every thread of the previous kernel waited for
//    its own predecessor before the kernel could finish.
//  - launch_dependents, which follows at once, lets the blocks of the next kernel start when all
//    blocks of this kernel have started. They take room that no block of this kernel needs any
//    more, and wait here.
// Work that is launched without the attribute (cuBLASLt's kernels, copies) waits for whole kernels.
__device__ inline void wait_for_inputs() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Returns whether the current device can overlap launches, and the environment does not say
// FP8Q_CUDA_LAUNCH=serial (to measure the effect).
inline bool launches_overlap() {
  int device = 0, major = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) != cudaSuccess)
    return false;
  const char* choice = std::getenv("FP8Q_CUDA_LAUNCH");
  return major >= 9 && !(choice && std::string_view(choice) == "serial");
}

// `kernel` may use more shared memory than the default of 48 KiB. All of the multiprocessor's
// memory is then to be shared memory rather than cache.
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
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &overlap;
  config.numAttrs = shape.follows_kernel && launches_overlap() ? 1 : 0;
  cudaLaunchKernelEx(&config, kernel, args);
}

template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char bytes[];
  return reinterpret_cast<T*>(bytes);
}

#endif

// Tells whether the program has code of the kernel that the current device runs.
template <class Args>
bool has_code(void (*kernel)(Args)) {
  cudaFuncAttributes attributes{};
  if (cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)) == cudaSuccess)
    return true;
  cudaGetLastError();  // clears the error, so that no later check reports it
  return false;
}

}  // namespace fp8q::cuda
