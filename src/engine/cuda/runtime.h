// Wraps the CUDA runtime: handles have owners, and its errors become fp8q::Error.
//
// Destructors release and never throw. The caller names the steps ("layer 3: attention"), since a
// GPU reports an error where the host next asks, not where it arose.
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

// Throws unless `error` is cudaSuccess: an Error (limit) for memory, else an Error (device). The
// message says so if CUDA accepts no more work from this process after the error.
void check(cudaError_t error, std::string_view step);
// Does the same for the errors of kernels launched before, such as a launch that the device
// refused.
void check_launches(std::string_view step);

// Holds memory of at least the size last asked for. Growing moves it and loses its contents.
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

// This memory is on the GPU, aligned to 256 bytes.
template <typename T>
using DeviceBuffer = TypedMemory<T, MemoryKind::device>;
// This memory is on the host. The GPU copies from and to it while the host continues.
template <typename T>
using PinnedBuffer = TypedMemory<T, MemoryKind::pinned>;

// A copy is ordered after the earlier work on the stream. Host memory that is not pinned makes the
// host wait.
void copy_to_device(void* to, const void* from, size_t bytes, Stream stream);
void copy_to_host(void* to, const void* from, size_t bytes, Stream stream);
void copy_on_device(void* to, const void* from, size_t bytes, Stream stream);
void fill_bytes(void* to, int byte, size_t bytes, Stream stream);

// Owns a handle of the runtime.
template <typename T, cudaError_t (*destroy)(T*)>
struct Destroy {
  void operator()(T* handle) const noexcept { destroy(handle); }
};
template <typename T, cudaError_t (*destroy)(T*)>
using Handle = std::unique_ptr<T, Destroy<T, destroy>>;

// This stream does not wait for the default stream.
class StreamHandle {
 public:
  StreamHandle();
  Stream get() const { return handle_.get(); }
  // Waits until all its work is done; reports the errors of that work as `step`'s.
  void synchronize(std::string_view step) const;

 private:
  Handle<CUstream_st, cudaStreamDestroy> handle_;
};

// Marks a moment in a stream.
class Event {
 public:
  Event();
  void record(Stream stream);
  void synchronize() const;
  // Returns the time between two recorded moments that the device has reached.
  static double milliseconds(const Event& from, const Event& to);

 private:
  Handle<CUevent_st, cudaEventDestroy> handle_;
};

// Holds a sequence of kernels and copies that is launched as one. It keeps the addresses and sizes
// of the time it was captured.
class GraphExec {
 public:
  GraphExec() = default;
  explicit operator bool() const { return handle_ != nullptr; }
  void launch(Stream stream) const;

 private:
  friend GraphExec capture(Stream, const std::function<void()>&);
  Handle<CUgraphExec_st, cudaGraphExecDestroy> handle_;
};

// Captures the work that `submit` sends to `stream`, without running it. `submit` must not
// allocate, free or wait.
GraphExec capture(Stream stream, const std::function<void()>& submit);

struct DeviceInfo {
  int index = 0;  // among those that CUDA_VISIBLE_DEVICES leaves
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  double clock_hz = 0;  // highest clock of the multiprocessors; 0: unknown
  size_t l2_bytes = 0, memory_bytes = 0;
  double memory_bytes_per_s = 0;                // nominal, from the memory's clock; 0: unknown
  int driver_version = 0, runtime_version = 0;  // CUDA versions: 13000 is 13.0

  int capability() const { return 10 * major + minor; }
};

// Holds the device `index` among those that CUDA_VISIBLE_DEVICES leaves, which becomes the current
// device, or one sentence that says why it cannot be used. find_device() never throws for lack of a
// device.
struct DeviceSearch {
  std::optional<DeviceInfo> device;
  std::string reason;
};
DeviceSearch find_device(int index = 0);

// Makes the device current for the calling thread. CUDA keeps the choice by thread, and begins with
// device 0, so code that uses a device calls this first.
void use_device(const DeviceInfo& device);

// The kernels are compiled for Ampere and later GPUs (scripts/cmake/Fp8qTargets.cmake).
inline constexpr int kLeastCapability = 80;

// Returns "13.0" for 13000.
std::string version_text(int cuda_version);

}  // namespace fp8q::cuda
