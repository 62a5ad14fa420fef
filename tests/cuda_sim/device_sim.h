// The simulated device: its memory, its queue of work and its clock. Used by the functions of the
// runtime (runtime_sim.cc) only.
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

// The handles, which are incomplete types in CUDA's headers.
struct CUstream_st {
  bool capturing = false, spoiled = false;
  std::vector<fp8q::sim::Work> captured;
};
struct CUevent_st {
  bool recorded = false;
  std::optional<double> microseconds;  // when the device has reached it
};
struct CUgraph_st {
  std::vector<fp8q::sim::Work> work;
};
struct CUgraphExec_st {
  std::vector<fp8q::sim::Work> work;
};

namespace fp8q::sim {

enum class MemoryKind { device, pinned };

// Blocks of whole pages, poisoned and guarded.
class SimulatedMemory {
 public:
  void* allocate(MemoryKind kind, size_t bytes);
  // False if `memory` is no block of that kind. Aborts if something wrote into the guard.
  bool release(MemoryKind kind, void* memory);
  size_t size_of(const void* memory) const;  // of the block there; 0: none
  // Whether [from, from + bytes) lies in one block of `kind`, or touches any.
  bool contains(MemoryKind kind, const void* from, size_t bytes) const;
  bool touches(MemoryKind kind, const void* from) const;

  // Lets work touch device memory while it lives.
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

  // Queues `work`, or records it.
  void enqueue(cudaStream_t stream, Work work);
  void drain();
  bool capturing() const;
  bool known(cudaStream_t stream) const { return !stream || streams.count(stream) > 0; }
  // For what must not happen meanwhile; spoils the captures.
  cudaError_t forbid_while_capturing();

  // The error that a call of `function` gets before it does anything.
  cudaError_t refusal(const std::string& function);
  cudaError_t remember(cudaError_t error);
};
SimulatedDevice& device();
// That the calling thread has chosen.
int& current_device();

// A call of the runtime: refused, or what `body` returns.
template <typename Body>
cudaError_t call(const char* function, Body&& body) {
  SimulatedDevice& d = device();
  const std::lock_guard lock(d.mutex);
  const cudaError_t refused = d.refusal(function);
  return d.remember(refused != cudaSuccess ? refused : body(d));
}

// The same for what releases something: done even if the call fails, so that tests of errors can
// look for leaks.
template <typename Body>
cudaError_t release(const char* function, Body&& body) {
  SimulatedDevice& d = device();
  const std::lock_guard lock(d.mutex);
  const cudaError_t refused = d.refusal(function);
  const cudaError_t done = body(d);
  return d.remember(refused != cudaSuccess ? refused : done);
}

// A call that waits for the device.
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
