// Defines the simulated device: its memory, its queue of work and its clock. Only the simulated
// functions of the runtime and of cuBLASLt use it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/cuda_sim/sim.h"

namespace fp8q::sim {
using Work = std::function<void()>;
}

// The handles are incomplete types in CUDA's headers.
struct CUstream_st {
  bool capturing = false, spoiled = false;
  std::vector<fp8q::sim::Work> captured;
};
struct CUevent_st {
  bool recorded = false;
  std::optional<double> microseconds;  // time at which the device reached it
};
struct CUgraph_st {
  std::vector<fp8q::sim::Work> work;
};
struct CUgraphExec_st {
  std::vector<fp8q::sim::Work> work;
};

namespace fp8q::sim {

enum class MemoryKind { device, pinned };

// Holds blocks of whole pages, poisoned and guarded.
class SimulatedMemory {
 public:
  void* allocate(MemoryKind kind, size_t bytes);
  // Returns false if `memory` is not a block of that kind. Aborts if something wrote into the
  // guard.
  bool release(MemoryKind kind, void* memory);
  size_t size_of(const void* memory) const;  // size of the block at `memory`; 0: none
  // Return whether [from, from + bytes) lies in one block of `kind`, or whether `from` lies in such
  // a block.
  bool contains(MemoryKind kind, const void* from, size_t bytes) const;
  bool touches(MemoryKind kind, const void* from) const;

  // Lets work touch device memory during the lifetime of this object.
  class Access {
   public:
    explicit Access(SimulatedMemory& memory);
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

   private:
    SimulatedMemory& memory_;
  };

 private:
  struct Block {
    MemoryKind kind;
    size_t bytes, mapped;
  };
  const std::pair<std::byte* const, Block>* block_at(const void* address) const;
  void protect_device(int protection);

  std::map<std::byte*, Block> blocks_;
  int accesses_ = 0;
};

struct SimulatedDevice {
  std::recursive_mutex mutex;
  DeviceModel model;
  Execution execution = Execution::immediate;
  SimulatedMemory memory;
  Counters counters;
  std::deque<Work> queue;
  double clock = 0, work_time = 0;  // microseconds
  CUstream_st default_stream;
  std::set<CUstream_st*> streams;

  cudaError_t last_error = cudaSuccess, spoiled_by = cudaSuccess;
  struct Injection {
    cudaError_t error;
    int after;
  };
  std::map<std::string, Injection> injections;

  // Queues `work`, or records it if the stream captures.
  void enqueue(cudaStream_t stream, Work work);
  void drain();
  bool capturing() const;
  bool known(cudaStream_t stream) const { return !stream || streams.count(stream) > 0; }
  // Refuses a call that must not happen while a stream captures, and spoils the captures.
  cudaError_t forbid_while_capturing();

  // Returns the error that a call of `function` gets before it does anything.
  cudaError_t refusal(const std::string& function);
  cudaError_t remember(cudaError_t error);
};
SimulatedDevice& device();
// Returns the device that the calling thread has chosen.
int& current_device();

// Does a call of the runtime, which is refused or returns what `body` returns.
template <typename Body>
cudaError_t call(const char* function, Body&& body) {
  SimulatedDevice& d = device();
  const std::lock_guard lock(d.mutex);
  const cudaError_t refused = d.refusal(function);
  return d.remember(refused != cudaSuccess ? refused : body(d));
}

// Does a call that releases something. The release is done even if the call fails, so that tests of
// errors can look for leaks.
template <typename Body>
cudaError_t release(const char* function, Body&& body) {
  SimulatedDevice& d = device();
  const std::lock_guard lock(d.mutex);
  const cudaError_t refused = d.refusal(function);
  const cudaError_t done = body(d);
  return d.remember(refused != cudaSuccess ? refused : done);
}

// Does a call that waits for the device.
template <typename Body>
cudaError_t wait(const char* function, Body&& body) {
  return call(function, [&](SimulatedDevice& d) {
    if (const auto error = d.forbid_while_capturing(); error != cudaSuccess) return error;
    ++d.counters.synchronizations;
    d.drain();
    return body(d);
  });
}

}  // namespace fp8q::sim
