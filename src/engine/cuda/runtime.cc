#include "engine/cuda/runtime.h"

#include "base/error.h"

namespace fp8q::cuda {
namespace {

// These errors are documented with "This leaves the process in an inconsistent state"
// (driver_types.h).
bool spoils_process(cudaError_t error) {
  switch (error) {
    case cudaErrorContained:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorExternalDevice:
    case cudaErrorECCUncorrectable:
    case cudaErrorAssert:
      return true;
    default:
      return false;
  }
}

std::string size_text(size_t bytes) {
  constexpr size_t kMiB = size_t{1} << 20;
  if (bytes >= 1024 * kMiB)
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1024.0 * kMiB));
  if (bytes >= kMiB) return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMiB);
  return fmt::format("{} bytes", bytes);
}

cudaError_t allocate(MemoryKind kind, void** memory, size_t bytes) {
  if (kind == MemoryKind::pinned) return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
  return cudaMalloc(memory, bytes);
}

[[noreturn]] void fail_allocation(MemoryKind kind, size_t bytes, std::string_view purpose) {
  cudaGetLastError();  // clears the error, which spoils nothing
  if (kind == MemoryKind::pinned)
    fail(ErrorCode::limit,
         "{}: the system gives no {} of pinned host memory; use a smaller --batch", purpose,
         size_text(bytes));
  size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  fail(ErrorCode::limit,
       "{}: the GPU has no {} of memory left ({} of {} are free); use a smaller --batch, or end "
       "other programs on the GPU",
       purpose, size_text(bytes), size_text(free), size_text(total));
}

}  // namespace

void check(cudaError_t error, std::string_view step) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // clears the error, so that the next check does not report it again
  if (spoils_process(error))
    fail(ErrorCode::device,
         "{}: the GPU stopped with \"{}\" ({}), there or in a step before; this process can use it "
         "no more and must be started again",
         step, cudaGetErrorString(error), cudaGetErrorName(error));
  if (error == cudaErrorMemoryAllocation)
    fail(ErrorCode::limit,
         "{}: the GPU is out of memory; use a smaller --batch, or end other programs on the GPU",
         step);
  if (error == cudaErrorNoKernelImageForDevice)
    fail(ErrorCode::device, "{}: this program was compiled without code for this GPU", step);
  fail(ErrorCode::device, "{}: CUDA reports \"{}\" ({})", step, cudaGetErrorString(error),
       cudaGetErrorName(error));
}

void check_launches(std::string_view step) { check(cudaGetLastError(), step); }

template <MemoryKind kind>
void* Memory<kind>::grow(size_t bytes, std::string_view purpose) {
  if (bytes <= bytes_) return data();
  data_.reset();
  bytes_ = 0;
  void* memory = nullptr;
  const cudaError_t error = allocate(kind, &memory, bytes);
  if (error == cudaErrorMemoryAllocation) fail_allocation(kind, bytes, purpose);
  check(error, purpose);
  data_.reset(memory);
  bytes_ = bytes;
  return memory;
}

template <MemoryKind kind>
void Memory<kind>::Free::operator()(void* memory) const noexcept {
  if constexpr (kind == MemoryKind::pinned) cudaFreeHost(memory);
  else cudaFree(memory);
}

template class Memory<MemoryKind::device>;
template class Memory<MemoryKind::pinned>;

void copy_to_device(void* to, const void* from, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream), "copying to the GPU");
}

void copy_to_host(void* to, const void* from, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "copying from the GPU");
}

void copy_on_device(void* to, const void* from, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "copying on the GPU");
}

void fill_bytes(void* to, int byte, size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemsetAsync(to, byte, bytes, stream), "filling GPU memory");
}

void use_device(const DeviceInfo& device) {
  check(cudaSetDevice(device.index), "choosing the GPU");
}

StreamHandle::StreamHandle() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
  handle_.reset(stream);
}

void StreamHandle::synchronize(std::string_view step) const {
  check(cudaStreamSynchronize(get()), step);
}

Event::Event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDefault), "creating an event");
  handle_.reset(event);
}

void Event::record(Stream stream) {
  check(cudaEventRecord(handle_.get(), stream), "recording an event");
}

void Event::synchronize() const {
  check(cudaEventSynchronize(handle_.get()), "waiting for an event");
}

double Event::milliseconds(const Event& from, const Event& to) {
  float time = 0;
  check(cudaEventElapsedTime(&time, from.handle_.get(), to.handle_.get()), "reading a time");
  return time;
}

void GraphExec::launch(Stream stream) const {
  check(cudaGraphLaunch(handle_.get(), stream), "launching a graph");
}

GraphExec capture(Stream stream, const std::function<void()>& submit) {
  constexpr std::string_view kStep = "capturing a graph";
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), kStep);
  Handle<CUgraph_st, cudaGraphDestroy> graph;
  const auto end = [&] {
    cudaGraph_t raw = nullptr;
    const cudaError_t error = cudaStreamEndCapture(stream, &raw);
    graph.reset(raw);
    return error;
  };
  try {
    submit();
  } catch (...) {
    if (end() != cudaSuccess) cudaGetLastError();
    throw;
  }
  check(end(), kStep);
  check_launches(kStep);
  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph.get(), 0), kStep);
  GraphExec result;
  result.handle_.reset(exec);
  return result;
}

}  // namespace fp8q::cuda
