// Defines a CUDA runtime on host memory, for tests. It is linked in place of cudart and has every
// function of the runtime that fp8q calls. A test program has one device, which is like an H100 by
// default.
//
// It is stricter than a GPU where that finds errors:
//  - Device memory is filled with 0xFF (NaN in every float format), and ends in a guard that is
//    checked when it is freed. Only submitted work can access it: host code that touches it dies
//    with a segmentation fault, as on a GPU.
//  - Calls that capturing forbids (allocating, freeing, waiting) fail and spoil the capture.
//  - With Execution::deferred, submitted work runs only when the host waits for it, so that a
//    missing wait shows. Work runs in the order of submission, whatever its stream.
//  - Threads that have not chosen a device (cudaSetDevice) get an error for all that belongs to it.
//
// The simulation has no speed, no concurrency of streams, and only one device at once.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace fp8q::sim {

// Memory that was not written holds this: NaN in every float format.
inline constexpr uint8_t kPoison = 0xFF;

// Runs `work` as a kernel of `stream`, or records it while the stream captures; a launch of the
// graph then runs it. Returns, and leaves for cudaGetLastError, the error of a refused launch.
cudaError_t submit(cudaStream_t stream, std::function<void()> work);

struct DeviceModel {
  // cudaGetDeviceCount returns this: cudaSuccess, or cudaErrorNoDevice,
  // cudaErrorInsufficientDriver...
  cudaError_t state = cudaSuccess;
  int index = 0;  // devices before it exist and do nothing
  std::string name = "NVIDIA H100 80GB HBM3";
  int major = 9, minor = 0;
  int multiprocessors = 132;
  int clock_khz = 1980000;
  size_t l2_bytes = size_t{50} << 20;
  size_t memory_bytes = size_t{80} << 30;  // cudaMalloc fails beyond this
  int memory_clock_khz = 2619000, memory_bus_bits = 5120;
  int driver_version = 13000, runtime_version = 13000;
};
void set_device(const DeviceModel& model);

enum class Execution { immediate, deferred };
void set_execution(Execution execution);

// Makes the call of `function` ("cudaMalloc", ...; "launch" for kernels) after `after` successful
// ones return `error`. A launch's error shows in cudaGetLastError, as on a GPU. After one of the
// errors that spoil a process (cudaErrorIllegalAddress, ...) every call fails with it until
// reset().
void fail_next(const std::string& function, cudaError_t error, int after = 0);

struct Counters {
  size_t device_allocations = 0, device_bytes = 0;  // live allocations and their bytes
  size_t pinned_allocations = 0, pinned_bytes = 0;  // live allocations and their bytes
  size_t streams = 0, events = 0, graphs = 0;       // live handles
  size_t allocations = 0;                           // allocating calls, of both kinds
  size_t launches = 0;                              // kernels run, including those of graphs
  size_t graph_launches = 0;
  size_t copies = 0;            // cudaMemcpy* calls
  size_t synchronizations = 0;  // calls that made the host wait
};
Counters counters();

// Sets how long the work that runs now takes on the clock that events see. A kernel that does not
// say takes 1 microsecond.
void take_microseconds(double time);

// Restores an H100, immediate execution, no injected errors, and counters at 0. Live memory and
// handles must have been released before. Returns the ones that were not, one a line, or an empty
// string.
std::string reset();

}  // namespace fp8q::sim
