#include "session/device.h"

#include <charconv>
#include <optional>

#include "base/error.h"
#ifdef FP8Q_WITH_CUDA
#include "engine/cuda/cuda_engine.h"
#endif

namespace fp8q {
namespace {

constexpr std::string_view kCuda = "cuda";

// Returns the index of "cuda" or "cuda:N", or nullopt if the text names no GPU.
std::optional<int> cuda_index(const std::string& device) {
  if (device == kCuda) return 0;
  if (!device.starts_with("cuda:")) return std::nullopt;
  const char* first = device.data() + kCuda.size() + 1;
  const char* last = device.data() + device.size();
  int index = -1;
  const auto [end, error] = std::from_chars(first, last, index);
  if (error != std::errc() || end != last || index < 0) return std::nullopt;
  return index;
}

#ifdef FP8Q_WITH_CUDA

std::unique_ptr<Engine> make_gpu_engine(const Encoder& encoder, int index, size_t tokens) {
  require_rounded_operands_only(encoder);
  const auto search = cuda::find_device(index);
  if (!search.device) fail(ErrorCode::device, "device cuda: {}", search.reason);
  return std::make_unique<cuda::CudaEngine>(
      encoder, cuda::load_cublaslt(), *search.device,
      cuda::CudaOptions{.micro_batch_tokens = static_cast<int64_t>(tokens)});
}

void require_gpu(int index) {
  const auto search = cuda::find_device(index);
  if (!search.device) fail(ErrorCode::device, "device cuda: {}", search.reason);
  cuda::load_cublaslt();
}

bool has_gpu() { return cuda::find_device(0).device.has_value(); }

#else

constexpr const char* kNoCuda =
    "device cuda: this build has no GPU engine; build it where the CUDA toolkit is, or use "
    "--device cpu";
std::unique_ptr<Engine> make_gpu_engine(const Encoder&, int, size_t) {
  fail(ErrorCode::device, kNoCuda);
}
void require_gpu(int) { fail(ErrorCode::device, kNoCuda); }
bool has_gpu() { return false; }

#endif

std::unique_ptr<Engine> make_on_cpu(const Encoder& encoder, const ExecutionOptions& execution,
                                    std::vector<std::string>& notes, const EngineUse& use) {
  if (execution.tokens_at_a_time > 0)
    notes.push_back("--tokens concerns GPUs only; the CPU chooses for itself");
  CpuEngineSettings settings = compute_type(execution);
  settings.layer_ready = use.layer_ready;
  settings.layers_side_by_side = plan_engine(encoder, settings.compute, use.workload, use.model);
  return make_cpu_engine(encoder, settings);
}

Encoder with_tanh_gelu(Encoder encoder, std::vector<std::string>& notes) {
  bool found = false;
  for (EncoderLayer& layer : encoder.layers) {
    if (layer.activation != Activation::gelu_erf) continue;
    layer.activation = Activation::gelu_tanh;
    found = true;
  }
  if (!found) notes.push_back("--gelu tanh changes nothing: the model has no exact GELU");
  return encoder;
}

}  // namespace

// FP32 runs on the CPU, because the GPU engine computes products that are not quantized in BF16.
bool runs_on_cpu(const ExecutionOptions& execution) {
  return execution.device == "cpu" ||
         (execution.device == "auto" && (execution.compute == Compute::fp32 || !has_gpu()));
}

ComputeType compute_type(const ExecutionOptions& execution) {
  return execution.compute == Compute::bf16 ? ComputeType::bf16 : ComputeType::automatic;
}

void check_device(const std::string& device) {
  if (device == "auto" || device == "cpu") return;
  const auto index = cuda_index(device);
  if (!index)
    fail(ErrorCode::usage, "--device {}: is none of auto, cpu, cuda[:N]", printable(device));
  require_gpu(*index);
}

std::unique_ptr<Engine> make_encoder_engine(const Encoder& given, const ExecutionOptions& execution,
                                            std::vector<std::string>& notes, const EngineUse& use) {
  // The change is made in the encoder, not in an engine, so that every device computes the same.
  const Encoder encoder = execution.gelu == Gelu::tanh ? with_tanh_gelu(given, notes) : given;
  if (const auto index = cuda_index(execution.device)) {
    if (execution.compute == Compute::fp32)
      fail(ErrorCode::unsupported,
           "--compute fp32: the GPU engine forms products that are not quantized in BF16; use "
           "--device cpu");
    return make_gpu_engine(encoder, *index, execution.tokens_at_a_time);
  }
  if (runs_on_cpu(execution)) return make_on_cpu(encoder, execution, notes, use);
  try {
    return make_gpu_engine(encoder, 0, execution.tokens_at_a_time);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::unsupported && e.code() != ErrorCode::device) throw;
    notes.push_back(fmt::format("runs on the CPU: {}", e.what()));
    return make_on_cpu(encoder, execution, notes, use);
  }
}

}  // namespace fp8q
