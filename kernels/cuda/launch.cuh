// Launching kernels, and their dynamic shared memory. The only places that differ between a GPU and
// the simulation that tests run on CPUs are this file and warp.cuh.
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
  // What the stream runs before is a kernel, not a copy: see wait_for_inputs().
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

// Programmatic dependent launch (CUDA programming guide; Hopper and later): the blocks of a kernel
// are brought onto the multiprocessors while the kernel before finishes, so that the time of a
// launch, which is much of a pass over few tokens, overlaps with work.
//
// This is the first statement of every kernel, in every thread, before any access to memory and any
// return. Therefore:
//  - nothing is read before the kernel before has finished and its writes are visible, and nothing
//    is written that it may still read; that is what griddepcontrol.wait waits for;
//  - the same holds for all kernels before that one: it waited for its own predecessor before it
//    could finish, as every one of its threads did;
//  - launch_dependents, which follows at once, lets the blocks after start when all blocks of this
//    kernel have; they take room that no block of this kernel needs any more, and wait here.
// What is launched without the attribute (cuBLASLt's kernels, copies) waits for whole kernels.
__device__ inline void wait_for_inputs() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Whether the current device can, and the environment does not say FP8Q_CUDA_LAUNCH=serial (to
// measure what it brings).
inline bool launches_overlap() {
  int device = 0, major = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) != cudaSuccess)
    return false;
  const char* choice = std::getenv("FP8Q_CUDA_LAUNCH");
  return major >= 9 && !(choice && std::string_view(choice) == "serial");
}

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

}  // namespace fp8q::cuda
