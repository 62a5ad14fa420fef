#include "tests/cuda_sim/device_sim.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fp8q::sim {
namespace {

constexpr int kGuard = 0xFE;  // large in every float format
constexpr size_t kLeastGuard = 256;

[[noreturn]] void die(const char* message, size_t bytes) {
  std::fprintf(stderr, "GPU simulation: %s (a block of %zu bytes)\n", message, bytes);
  std::abort();
}

bool spoils_process(cudaError_t error) {
  return error == cudaErrorIllegalAddress || error == cudaErrorLaunchFailure ||
         error == cudaErrorMisalignedAddress || error == cudaErrorIllegalInstruction ||
         error == cudaErrorLaunchTimeout || error == cudaErrorHardwareStackError ||
         error == cudaErrorECCUncorrectable;
}

// Returns whether a function works on, or makes something of, the thread's device. Other functions
// find the device by their arguments.
bool of_the_current_device(const std::string& function) {
  static const std::set<std::string> functions = {"launch",
                                                  "cudaMalloc",
                                                  "cudaStreamCreateWithFlags",
                                                  "cudaEventCreateWithFlags",
                                                  "cudaMemcpyAsync",
                                                  "cudaFuncSetAttribute"};
  return functions.contains(function);
}

}  // namespace

void* SimulatedMemory::allocate(MemoryKind kind, size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t mapped = (bytes + kLeastGuard + page - 1) / page * page;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  auto* start = static_cast<std::byte*>(memory);
  std::memset(start, kPoison, bytes);
  std::memset(start + bytes, kGuard, mapped - bytes);
  blocks_[start] = {kind, bytes, mapped};
  if (kind == MemoryKind::device && accesses_ == 0) mprotect(start, mapped, PROT_NONE);
  return memory;
}

bool SimulatedMemory::release(MemoryKind kind, void* memory) {
  const auto block = blocks_.find(static_cast<std::byte*>(memory));
  if (block == blocks_.end() || block->second.kind != kind) return false;
  const auto& [start, b] = *block;
  mprotect(start, b.mapped, PROT_READ | PROT_WRITE);
  if (std::any_of(start + b.bytes, start + b.mapped,
                  [](std::byte x) { return x != std::byte{kGuard}; }))
    die("a write beyond the end of memory", b.bytes);
  munmap(start, b.mapped);
  blocks_.erase(block);
  return true;
}

const std::pair<std::byte* const, SimulatedMemory::Block>* SimulatedMemory::block_at(
    const void* address) const {
  auto* const at = static_cast<std::byte*>(const_cast<void*>(address));
  auto next = blocks_.upper_bound(at);
  if (next == blocks_.begin()) return nullptr;
  --next;
  return at < next->first + next->second.mapped ? &*next : nullptr;
}

size_t SimulatedMemory::size_of(const void* memory) const {
  const auto* found = block_at(memory);
  return found ? found->second.bytes : 0;
}

bool SimulatedMemory::contains(MemoryKind kind, const void* from, size_t bytes) const {
  const auto* found = block_at(from);
  if (!found || found->second.kind != kind) return false;
  const auto offset = static_cast<size_t>(static_cast<const std::byte*>(from) - found->first);
  return offset <= found->second.bytes && bytes <= found->second.bytes - offset;
}

bool SimulatedMemory::touches(MemoryKind kind, const void* from) const {
  const auto* found = block_at(from);
  return found && found->second.kind == kind;
}

void SimulatedMemory::protect_device(int protection) {
  for (const auto& [start, block] : blocks_)
    if (block.kind == MemoryKind::device) mprotect(start, block.mapped, protection);
}

SimulatedMemory::Access::Access(SimulatedMemory& memory) : memory_(memory) {
  if (memory_.accesses_++ == 0) memory_.protect_device(PROT_READ | PROT_WRITE);
}

SimulatedMemory::Access::~Access() {
  if (--memory_.accesses_ == 0) memory_.protect_device(PROT_NONE);
}

void SimulatedDevice::enqueue(cudaStream_t stream, Work work) {
  CUstream_st& target = stream ? *stream : default_stream;
  if (target.capturing) {
    target.captured.push_back(std::move(work));
    return;
  }
  queue.push_back(std::move(work));
  if (execution == Execution::immediate) drain();
}

void SimulatedDevice::drain() {
  if (queue.empty()) return;
  const SimulatedMemory::Access access(memory);
  while (!queue.empty()) {
    const Work work = std::move(queue.front());
    queue.pop_front();
    work();
  }
}

bool SimulatedDevice::capturing() const {
  return std::any_of(streams.begin(), streams.end(), [](auto* s) { return s->capturing; });
}

cudaError_t SimulatedDevice::forbid_while_capturing() {
  if (!capturing()) return cudaSuccess;
  for (auto* s : streams) s->spoiled |= s->capturing;
  return cudaErrorStreamCaptureUnsupported;
}

int& current_device() {
  thread_local int index = 0;
  return index;
}

cudaError_t SimulatedDevice::refusal(const std::string& function) {
  if (model.state != cudaSuccess) return model.state;
  if (spoiled_by != cudaSuccess) return spoiled_by;
  if (current_device() != model.index && of_the_current_device(function))
    return cudaErrorInvalidDevice;
  const auto injection = injections.find(function);
  if (injection == injections.end() || injection->second.after-- > 0) return cudaSuccess;
  const cudaError_t error = injection->second.error;
  injections.erase(injection);
  return error;
}

cudaError_t SimulatedDevice::remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last_error = error;
  if (spoils_process(error)) spoiled_by = error;
  return error;
}

SimulatedDevice& device() {
  static SimulatedDevice the_device;
  return the_device;
}

cudaError_t submit(cudaStream_t stream, std::function<void()> work) {
  SimulatedDevice& d = device();
  const std::lock_guard lock(d.mutex);
  if (const auto error = d.remember(d.refusal("launch")); error != cudaSuccess) return error;
  d.enqueue(stream, [work = std::move(work)] {
    SimulatedDevice& at = device();
    ++at.counters.launches;
    at.work_time = 1;
    work();
    at.clock += at.work_time;
  });
  return cudaSuccess;
}

void set_device(const DeviceModel& model) { device().model = model; }
void set_execution(Execution execution) {
  device().drain();
  device().execution = execution;
}
void fail_next(const std::string& function, cudaError_t error, int after) {
  device().injections[function] = {error, after};
}
Counters counters() { return device().counters; }
void take_microseconds(double time) { device().work_time = time; }

std::string reset() {
  current_device() = 0;
  SimulatedDevice& d = device();
  const std::lock_guard lock(d.mutex);
  d.queue.clear();
  const Counters c = d.counters;
  std::string leaks;
  const auto report = [&](size_t count, const char* what) {
    if (count > 0) leaks += std::to_string(count) + " " + what + "\n";
  };
  report(c.device_allocations, "blocks of device memory");
  report(c.pinned_allocations, "blocks of pinned memory");
  report(c.streams, "streams");
  report(c.events, "events");
  report(c.graphs, "graphs");
  d.counters = {.device_allocations = c.device_allocations,
                .device_bytes = c.device_bytes,
                .pinned_allocations = c.pinned_allocations,
                .pinned_bytes = c.pinned_bytes,
                .streams = c.streams,
                .events = c.events,
                .graphs = c.graphs};
  d.model = {};
  d.execution = Execution::immediate;
  d.clock = 0;
  d.last_error = d.spoiled_by = cudaSuccess;
  d.injections.clear();
  return leaks;
}

}  // namespace fp8q::sim
