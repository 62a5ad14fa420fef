#include <cuda_runtime_api.h>

#include "base/error.h"
#include "engine/cuda/runtime.h"
#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {
namespace {

// Returns 0 if the attribute is unknown.
int attribute(cudaDeviceAttr name, int device) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, name, device) == cudaSuccess) return value;
  cudaGetLastError();  // clears the error, so that no later check reports it
  return 0;
}

// Both edges of the clock carry data.
double nominal_bandwidth(int device) {
  const double clock_hz = 1e3 * attribute(cudaDevAttrMemoryClockRate, device);
  return 2 * clock_hz * attribute(cudaDevAttrGlobalMemoryBusWidth, device) / 8;
}

std::string driver_reason(cudaError_t error, const DeviceInfo& versions) {
  if (error == cudaErrorNoDevice) return "there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it";
  if (versions.driver_version == 0) return "no NVIDIA driver is installed";
  if (error == cudaErrorInsufficientDriver)
    return fmt::format(
        "the NVIDIA driver is too old: it serves CUDA {}, and CUDA {} is needed; update it",
        version_text(versions.driver_version), version_text(versions.runtime_version));
  return fmt::format("the GPU cannot be used: CUDA reports \"{}\" ({})", cudaGetErrorString(error),
                     cudaGetErrorName(error));
}

}  // namespace

std::string version_text(int cuda_version) {
  return fmt::format("{}.{}", cuda_version / 1000, cuda_version % 1000 / 10);
}

DeviceSearch find_device(int index) {
  DeviceInfo info;
  cudaDriverGetVersion(&info.driver_version);
  cudaRuntimeGetVersion(&info.runtime_version);
  int devices = 0;
  cudaError_t error = cudaGetDeviceCount(&devices);
  if (error == cudaSuccess && devices == 0) error = cudaErrorNoDevice;
  if (error == cudaSuccess && index >= devices)
    return {.device = std::nullopt,
            .reason = fmt::format("there is no GPU {}, the last is {}", index, devices - 1)};
  cudaDeviceProp properties{};
  if (error == cudaSuccess) error = cudaSetDevice(index);
  if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, index);
  if (error != cudaSuccess) {
    cudaGetLastError();  // clears the error, which `reason` reports
    return {.device = std::nullopt, .reason = driver_reason(error, info)};
  }
  info.index = index;
  info.name = properties.name;
  info.major = properties.major;
  info.minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  info.clock_hz = 1e3 * attribute(cudaDevAttrClockRate, index);
  info.l2_bytes = static_cast<size_t>(properties.l2CacheSize);
  info.memory_bytes = properties.totalGlobalMem;
  info.memory_bytes_per_s = nominal_bandwidth(index);
  if (info.capability() < kLeastCapability)
    return {.device = std::nullopt,
            .reason = fmt::format(
                "{} has compute capability {}.{}, and {}.{} or later is needed (Ampere)", info.name,
                info.major, info.minor, kLeastCapability / 10, kLeastCapability % 10)};
  if (!has_device_code())
    return {.device = std::nullopt,
            .reason = fmt::format("{} has compute capability {}.{}, and this build has kernels for "
                                  "{} only; configure it with -DFP8Q_CUDA_ARCHITECTURES=all",
                                  info.name, info.major, info.minor, FP8Q_CUDA_CODE)};
  return {.device = std::move(info), .reason = ""};
}

}  // namespace fp8q::cuda
