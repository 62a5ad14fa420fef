// Executes GPU kernels on the CPU, for tests. Every thread of a block is a fiber; blocks run one
// after another. Barriers and warp-wide operations switch fibers, so kernels run as they are
// written, including index arithmetic, shared memory and fragment layouts. Speed and the memory
// model are not simulated: a missing barrier between warps may go unnoticed here.
//
// kernels/cuda/launch.cuh includes this file in place of the CUDA compiler's own definitions.
#pragma once

#include <cuda_runtime_api.h>
#include <vector_types.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>

#undef __launch_bounds__
#define __launch_bounds__(...)

extern thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace fp8q::sim {

// Runs `kernel` for every thread of the grid, now or when the stream's capture is replayed.
struct LaunchShape {
  dim3 grid, block;
  size_t shared_bytes;
};
void launch(const LaunchShape& shape, cudaStream_t stream, std::function<void()> kernel);

std::byte* dynamic_shared();
void block_barrier();
void warp_barrier();
int lane();
// Every thread of a kernel waits for the work before it: see kernels/cuda/launch.cuh.
void wait_for_inputs();
void require_wait_for_inputs();

// Every lane of the warp contributes `mine`. Returns what lane i contributed, for every i. The
// result is valid until the warp's next collective operation.
const uint64_t* warp_gather(uint64_t mine);
// Does the same with several words of each lane: word w of lane i is at [i * words + w].
const uint32_t* warp_gather(const uint32_t* mine, size_t words);

}  // namespace fp8q::sim

inline void __syncthreads() { fp8q::sim::block_barrier(); }
inline void __syncwarp() { fp8q::sim::warp_barrier(); }
float __shfl_xor_sync(unsigned mask, float value, int lane_mask);
