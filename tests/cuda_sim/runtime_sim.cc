// Defines the functions of the CUDA runtime for devices, errors and memory; see sim.h.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "tests/cuda_sim/device_sim.h"

using namespace fp8q::sim;

namespace {

cudaError_t allocate(SimulatedDevice& d, MemoryKind kind, void** memory, size_t bytes) {
  if (const auto error = d.forbid_while_capturing(); error != cudaSuccess) return error;
  *memory = nullptr;
  ++d.counters.allocations;
  if (bytes == 0) return cudaSuccess;
  const bool on_device = kind == MemoryKind::device;
  if (on_device && bytes > d.model.memory_bytes - d.counters.device_bytes)
    return cudaErrorMemoryAllocation;
  *memory = d.memory.allocate(kind, bytes);
  if (!*memory) return cudaErrorMemoryAllocation;
  ++(on_device ? d.counters.device_allocations : d.counters.pinned_allocations);
  (on_device ? d.counters.device_bytes : d.counters.pinned_bytes) += bytes;
  return cudaSuccess;
}

cudaError_t free_memory(SimulatedDevice& d, MemoryKind kind, void* memory) {
  if (!memory) return cudaSuccess;
  if (const auto error = d.forbid_while_capturing(); error != cudaSuccess) return error;
  d.drain();
  const size_t bytes = d.memory.size_of(memory);
  if (!d.memory.release(kind, memory)) return cudaErrorInvalidValue;
  const bool on_device = kind == MemoryKind::device;
  --(on_device ? d.counters.device_allocations : d.counters.pinned_allocations);
  (on_device ? d.counters.device_bytes : d.counters.pinned_bytes) -= bytes;
  return cudaSuccess;
}

bool on_device(const SimulatedDevice& d, const void* memory, size_t bytes) {
  return d.memory.contains(MemoryKind::device, memory, bytes);
}
bool on_host(const SimulatedDevice& d, const void* memory) {
  return !d.memory.touches(MemoryKind::device, memory);
}

bool valid_copy(const SimulatedDevice& d, const void* to, const void* from, size_t bytes,
                cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return on_device(d, to, bytes) && on_host(d, from);
    case cudaMemcpyDeviceToHost:
      return on_host(d, to) && on_device(d, from, bytes);
    case cudaMemcpyDeviceToDevice:
      return on_device(d, to, bytes) && on_device(d, from, bytes);
    case cudaMemcpyHostToHost:
      return on_host(d, to) && on_host(d, from);
    case cudaMemcpyDefault:
      return (on_host(d, to) || on_device(d, to, bytes)) &&
             (on_host(d, from) || on_device(d, from, bytes));
  }
  return false;
}

void move_bytes(void* to, const void* from, size_t bytes) {
  const SimulatedMemory::Access access(device().memory);
  std::memmove(to, from, bytes);
  device().clock += 1;
}

}  // namespace

// Device

cudaError_t cudaGetDeviceCount(int* count) {
  return call("cudaGetDeviceCount", [&](SimulatedDevice& d) {
    *count = d.model.index + 1;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int index) {
  return call("cudaSetDevice", [&](SimulatedDevice& d) {
    if (index < 0 || index > d.model.index) return cudaErrorInvalidDevice;
    current_device() = index;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* index) {
  return call("cudaGetDevice", [&](SimulatedDevice&) {
    *index = current_device();
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  return call("cudaFuncGetAttributes", [&](SimulatedDevice&) {
    *attributes = {};
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  return call("cudaGetDeviceProperties", [&](SimulatedDevice& d) {
    if (index != d.model.index) return cudaErrorInvalidDevice;
    *properties = {};
    d.model.name.copy(properties->name, sizeof properties->name - 1);
    properties->major = d.model.major;
    properties->minor = d.model.minor;
    properties->multiProcessorCount = d.model.multiprocessors;
    properties->l2CacheSize = static_cast<int>(d.model.l2_bytes);
    properties->totalGlobalMem = d.model.memory_bytes;
    properties->memoryBusWidth = d.model.memory_bus_bits;
    properties->sharedMemPerBlock = 48 * 1024;
    properties->sharedMemPerBlockOptin = 227 * 1024;
    properties->warpSize = 32;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr name, int index) {
  return call("cudaDeviceGetAttribute", [&](SimulatedDevice& d) {
    if (index != d.model.index) return cudaErrorInvalidDevice;
    switch (name) {
      case cudaDevAttrComputeCapabilityMajor:
        *value = d.model.major;
        break;
      case cudaDevAttrComputeCapabilityMinor:
        *value = d.model.minor;
        break;
      case cudaDevAttrMultiProcessorCount:
        *value = d.model.multiprocessors;
        break;
      case cudaDevAttrClockRate:
        *value = d.model.clock_khz;
        break;
      case cudaDevAttrL2CacheSize:
        *value = static_cast<int>(d.model.l2_bytes);
        break;
      case cudaDevAttrMemoryClockRate:
        *value = d.model.memory_clock_khz;
        break;
      case cudaDevAttrGlobalMemoryBusWidth:
        *value = d.model.memory_bus_bits;
        break;
      case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = 227 * 1024;
        break;
      default:
        return cudaErrorInvalidValue;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = device().model.driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = device().model.runtime_version;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return call("cudaMemGetInfo", [&](SimulatedDevice& d) {
    *free = d.model.memory_bytes - d.counters.device_bytes;
    *total = d.model.memory_bytes;
    return cudaSuccess;
  });
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return call("cudaFuncSetAttribute", [](SimulatedDevice&) { return cudaSuccess; });
}

cudaError_t cudaDeviceSynchronize() {
  return wait("cudaDeviceSynchronize", [](SimulatedDevice&) { return cudaSuccess; });
}

// Errors

cudaError_t cudaPeekAtLastError() {
  SimulatedDevice& d = device();
  return d.spoiled_by != cudaSuccess ? d.spoiled_by : d.last_error;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  device().last_error = cudaSuccess;
  return error;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
#define FP8Q_NAME(id) \
  case id:            \
    return #id;
    FP8Q_NAME(cudaSuccess)
    FP8Q_NAME(cudaErrorInvalidValue)
    FP8Q_NAME(cudaErrorMemoryAllocation)
    FP8Q_NAME(cudaErrorInvalidConfiguration)
    FP8Q_NAME(cudaErrorInsufficientDriver)
    FP8Q_NAME(cudaErrorNoDevice)
    FP8Q_NAME(cudaErrorNoKernelImageForDevice)
    FP8Q_NAME(cudaErrorInvalidResourceHandle)
    FP8Q_NAME(cudaErrorIllegalAddress)
    FP8Q_NAME(cudaErrorLaunchFailure)
    FP8Q_NAME(cudaErrorLaunchOutOfResources)
    FP8Q_NAME(cudaErrorStreamCaptureUnsupported)
    FP8Q_NAME(cudaErrorStreamCaptureInvalidated)
#undef FP8Q_NAME
    default:
      return "cudaErrorOfSimulation";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    default:
      return "an error of the simulation";
  }
}

// Memory

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return call("cudaMalloc",
              [&](SimulatedDevice& d) { return allocate(d, MemoryKind::device, memory, bytes); });
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  return call("cudaHostAlloc",
              [&](SimulatedDevice& d) { return allocate(d, MemoryKind::pinned, memory, bytes); });
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return call("cudaMallocHost",
              [&](SimulatedDevice& d) { return allocate(d, MemoryKind::pinned, memory, bytes); });
}

cudaError_t cudaFree(void* memory) {
  return release("cudaFree",
                 [&](SimulatedDevice& d) { return free_memory(d, MemoryKind::device, memory); });
}

cudaError_t cudaFreeHost(void* memory) {
  return release("cudaFreeHost",
                 [&](SimulatedDevice& d) { return free_memory(d, MemoryKind::pinned, memory); });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  return wait("cudaMemcpy", [&](SimulatedDevice& d) {
    ++d.counters.copies;
    if (!valid_copy(d, to, from, bytes, kind)) return cudaErrorInvalidValue;
    move_bytes(to, from, bytes);
    return cudaSuccess;
  });
}

// The copy follows the runtime's API synchronization behavior. From pageable memory the bytes are
// taken at once, and a copy to pageable memory is complete when the call returns.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return call("cudaMemcpyAsync", [&](SimulatedDevice& d) {
    ++d.counters.copies;
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    if (!valid_copy(d, to, from, bytes, kind)) return cudaErrorInvalidValue;
    const auto pageable = [&](const void* memory) {
      return on_host(d, memory) && !d.memory.touches(MemoryKind::pinned, memory);
    };
    const bool captured = stream && stream->capturing;
    if (!captured && pageable(from)) {
      const auto* first = static_cast<const std::byte*>(from);
      const auto taken = std::make_shared<std::vector<std::byte>>(first, first + bytes);
      d.enqueue(stream, [=] { move_bytes(to, taken->data(), bytes); });
    } else {
      d.enqueue(stream, [=] { move_bytes(to, from, bytes); });
    }
    if (!captured && pageable(to)) {
      ++d.counters.synchronizations;
      d.drain();
    }
    return cudaSuccess;
  });
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  return call("cudaMemsetAsync", [&](SimulatedDevice& d) {
    if (!d.known(stream)) return cudaErrorInvalidResourceHandle;
    if (!on_device(d, memory, bytes)) return cudaErrorInvalidValue;
    d.enqueue(stream, [=] {
      std::memset(memory, value, bytes);
      device().clock += 1;
    });
    return cudaSuccess;
  });
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  return cudaMemsetAsync(memory, value, bytes, nullptr);
}
