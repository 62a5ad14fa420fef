// The CUDA runtime with owners instead of handles, and its errors as fp8q::Error.
//
// Destructors release and never throw. Steps are named by the caller ("layer 3: attention"), since
// a GPU reports an error where the host next asks, not where it arose.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

// Throws unless `error` is cudaSuccess: Error(limit) for memory, else Error(device). Errors after
// which CUDA accepts no more work from this process say so.
void check(cudaError_t error, std::string_view step);
// The same for what the kernels launched before report: a launch that the device refused.
void check_launches(std::string_view step);

// Memory of at least the size last asked for. Growing loses the contents and moves it.
enum class MemoryKind { device, pinned };
template <MemoryKind kind>
class Memory {
 public:
  // `purpose` is what an error says the memory was for.
  void* grow(size_t bytes, std::string_view purpose);
  void* data() const { return data_.get(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(void* memory) const noexcept;
  };
  std::unique_ptr<void, Free> data_;
  size_t bytes_ = 0;
};

template <typename T, MemoryKind kind>
class TypedMemory {
 public:
  static_assert(std::is_trivially_copyable_v<T>);
  TypedMemory() = default;
  TypedMemory(size_t count, std::string_view purpose) { grow(count, purpose); }

  T* grow(size_t count, std::string_view purpose) {
    return static_cast<T*>(memory_.grow(count * sizeof(T), purpose));
  }
  T* data() const { return static_cast<T*>(memory_.data()); }
  size_t capacity() const { return memory_.bytes() / sizeof(T); }

 private:
  Memory<kind> memory_;
};

// Memory of the GPU, aligned to 256 bytes.
template <typename T>
using DeviceBuffer = TypedMemory<T, MemoryKind::device>;
// Memory of the host that the GPU copies from and to while the host goes on.
template <typename T>
using PinnedBuffer = TypedMemory<T, MemoryKind::pinned>;

// Ordered after the work before it on the stream. Host memory that is not pinned makes the host
// wait.
void copy_to_device(void* to, const void* from, size_t bytes, Stream stream);
void copy_to_host(void* to, const void* from, size_t bytes, Stream stream);
void copy_on_device(void* to, const void* from, size_t bytes, Stream stream);
void fill_bytes(void* to, int byte, size_t bytes, Stream stream);

// An owned handle of the runtime.
template <typename T, cudaError_t (*destroy)(T*)>
struct Destroy {
  void operator()(T* handle) const noexcept { destroy(handle); }
};
template <typename T, cudaError_t (*destroy)(T*)>
using Handle = std::unique_ptr<T, Destroy<T, destroy>>;

// A stream that does not wait for the default stream.
class StreamHandle {
 public:
  StreamHandle();
  Stream get() const { return handle_.get(); }
  // Waits until all its work is done; reports the errors of that work as `step`'s.
  void synchronize(std::string_view step) const;

 private:
  Handle<CUstream_st, cudaStreamDestroy> handle_;
};

// A moment in a stream.
class Event {
 public:
  Event();
  void record(Stream stream);
  void synchronize() const;
  // Between two recorded moments that the device has reached.
  static double milliseconds(const Event& from, const Event& to);

 private:
  Handle<CUevent_st, cudaEventDestroy> handle_;
};

// A sequence of kernels and copies that is launched as one. Its addresses and sizes are those of
// the time it was captured.
class GraphExec {
 public:
  GraphExec() = default;
  explicit operator bool() const { return handle_ != nullptr; }
  void launch(Stream stream) const;

 private:
  friend GraphExec capture(Stream, const std::function<void()>&);
  Handle<CUgraphExec_st, cudaGraphExecDestroy> handle_;
};

// What `submit` sends to `stream`, which is not run. It must not allocate, free or wait.
GraphExec capture(Stream stream, const std::function<void()>& submit);

struct DeviceInfo {
  int index = 0;  // of those that CUDA_VISIBLE_DEVICES leaves
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  double clock_hz = 0;  // highest of the multiprocessors; 0: unknown
  size_t l2_bytes = 0, memory_bytes = 0;
  double memory_bytes_per_s = 0;                // nominal, of the memory's clock; 0: unknown
  int driver_version = 0, runtime_version = 0;  // CUDA versions as 13000 for 13.0

  int capability() const { return 10 * major + minor; }
};

// Device `index` of those that CUDA_VISIBLE_DEVICES leaves, made the current one; or in one
// sentence why it cannot be used. Never throws for want of a device.
struct DeviceSearch {
  std::optional<DeviceInfo> device;
  std::string reason;
};
DeviceSearch find_device(int index = 0);

// Makes the device that of the calling thread. CUDA keeps the choice by thread, and begins with
// device 0, so whoever uses a device says so first.
void use_device(const DeviceInfo& device);

// The kernels are compiled for Ampere and later GPUs (scripts/cmake/Fp8qTargets.cmake).
inline constexpr int kLeastCapability = 80;

// "13.0" of 13000.
std::string version_text(int cuda_version);

}  // namespace fp8q::cuda
