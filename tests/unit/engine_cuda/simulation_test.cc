// The simulated device is strict: it refuses what a GPU or cuBLASLt refuses.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/cuda/runtime.h"
#include "tests/cuda_sim/simulated_test.h"

namespace fp8q::sim {
namespace {

using Simulation = SimulatedTest;

TEST_F(Simulation, DeviceMemoryIsForTheDevice) {
  const cuda::DeviceBuffer<int> buffer(4, "x");
  EXPECT_DEATH(*static_cast<volatile int*>(buffer.data()) = 1, "");
  int seen = 0;
  submit(nullptr, [&] { seen = buffer.data()[3]; });
  EXPECT_EQ(seen, -1);  // poison
}

TEST_F(Simulation, AWriteBeyondTheEndIsFound) {
  EXPECT_DEATH(
      {
        cuda::DeviceBuffer<int> buffer(4, "x");
        submit(nullptr, [&] { buffer.data()[4] = 1; });
      },
      "beyond the end");
}

TEST_F(Simulation, CopiesStayWithinTheirMemory) {
  const cuda::DeviceBuffer<int> buffer(4, "x");
  int host[8] = {};
  const auto copy = [&](void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
    return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  };
  EXPECT_EQ(copy(buffer.data(), host, 16, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(copy(buffer.data(), host, 17, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(buffer.data() + 1, host, 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(host, buffer.data(), 16, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(host, host + 4, 16, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemset(buffer.data(), 0, 17), cudaErrorInvalidValue);
}

TEST_F(Simulation, DeferredWorkRunsWhenTheHostWaits) {
  set_execution(Execution::deferred);
  const cuda::StreamHandle stream;
  const cuda::DeviceBuffer<int> device(1, "x");
  const cuda::PinnedBuffer<int> in(1, "x"), out(1, "x");
  int pageable = 5;
  cuda::copy_to_device(device.data(), &pageable, sizeof(int), stream.get());
  pageable = 6;  // too late
  submit(stream.get(), [&] { *device.data() += 1; });
  *in.data() = 7;
  *out.data() = 0;
  cuda::copy_to_host(out.data(), device.data(), sizeof(int), stream.get());
  cuda::copy_to_device(device.data(), in.data(), sizeof(int), stream.get());
  *in.data() = 8;  // in time: pinned memory is read later
  EXPECT_EQ(*out.data(), 0);
  stream.synchronize("x");
  EXPECT_EQ(*out.data(), 6);
  EXPECT_EQ(counters().synchronizations, 1u);
  cuda::copy_to_host(&pageable, device.data(), sizeof(int), stream.get());  // waits
  EXPECT_EQ(pageable, 8);
  EXPECT_EQ(counters().synchronizations, 2u);
}

TEST_F(Simulation, ReportsLeaks) {
  void* memory = nullptr;
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, 10), cudaSuccess);
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  EXPECT_EQ(reset(), "1 blocks of device memory\n1 streams\n");
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaErrorInvalidValue);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
}

TEST_F(Simulation, InjectsErrorsAfterSomeCalls) {
  fail_next("cudaGetDevice", cudaErrorInvalidDevice, 2);
  int index = -1;
  EXPECT_EQ(cudaGetDevice(&index), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&index), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&index), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&index), cudaSuccess);
}

// Describes a request to the simulated cuBLASLt, by default one that it accepts: D [n x tokens],
// FP8.
struct Request {
  cudaDataType_t a = CUDA_R_8F_E4M3, b = CUDA_R_8F_E4M3, d = CUDA_R_16BF;
  uint64_t n = 32, k = 48, tokens = 3;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F;
  int32_t transpose_a = CUBLAS_OP_T;
  uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  size_t offset = 0;  // of the operands, in bytes
  size_t workspace_bytes = 0;
};

cublasStatus_t matmul(const Request& r) {
  const cuda::CublasLt& table = cublaslt();
  const cuda::DeviceBuffer<std::byte> memory(1 << 16, "operands");
  std::byte* data = memory.data() + r.offset;
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  table.MatmulDescCreate(&operation, r.compute, r.scale);
  table.MatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &r.transpose_a, 4);
  table.MatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, &r.epilogue, 4);
  table.MatrixLayoutCreate(&a, r.a, r.k, r.n, static_cast<int64_t>(r.k));
  table.MatrixLayoutCreate(&b, r.b, r.k, r.tokens, static_cast<int64_t>(r.k));
  table.MatrixLayoutCreate(&d, r.d, r.n, r.tokens, static_cast<int64_t>(r.n));
  const float one = 1, zero = 0;
  const cublasLtMatmulAlgo_t algorithm = opaque(1);
  const cublasStatus_t status =
      table.Matmul(nullptr, operation, &one, data, a, data, b, &zero, data + 32768, d, data + 32768,
                   d, &algorithm, nullptr, r.workspace_bytes, nullptr);
  table.MatrixLayoutDestroy(a);
  table.MatrixLayoutDestroy(b);
  table.MatrixLayoutDestroy(d);
  table.MatmulDescDestroy(operation);
  return status;
}

TEST_F(Simulation, CublasLtRefusesWhatTheManualExcludes) {
  EXPECT_EQ(matmul({}), CUBLAS_STATUS_SUCCESS);
  const Request unsupported[] = {
      {.a = CUDA_R_8F_E5M2, .b = CUDA_R_8F_E5M2},
      {.a = CUDA_R_8F_E4M3, .b = CUDA_R_8I},
      {.k = 40},
      {.n = 40},
      {.d = CUDA_R_32I},
      {.compute = CUBLAS_COMPUTE_32I},
      {.scale = CUDA_R_32I},
      {.transpose_a = CUBLAS_OP_N},
      {.epilogue = CUBLASLT_EPILOGUE_BIAS},
      {.a = CUDA_R_8I, .b = CUDA_R_8I, .d = CUDA_R_16BF},
      {.a = CUDA_R_8I,
       .b = CUDA_R_8I,
       .d = CUDA_R_32I,
       .k = 6,
       .compute = CUBLAS_COMPUTE_32I,
       .scale = CUDA_R_32I},
  };
  for (const Request& r : unsupported)
    EXPECT_EQ(matmul(r), CUBLAS_STATUS_NOT_SUPPORTED) << &r - unsupported;
  EXPECT_EQ(matmul({.offset = 8}), CUBLAS_STATUS_INVALID_VALUE);
  set_algorithms({{.id = 1, .workspace_bytes = 256}});
  EXPECT_EQ(matmul({}), CUBLAS_STATUS_INVALID_VALUE);
  set_algorithms({{.id = 2}});
  EXPECT_EQ(matmul({}), CUBLAS_STATUS_INVALID_VALUE);  // an algorithm it does not know
  set_device({.major = 8, .minor = 6});
  EXPECT_EQ(matmul({}), CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_F(Simulation, CublasLtKnowsTheSizesOfAttributes) {
  const cuda::CublasLt& table = cublaslt();
  cublasLtMatmulDesc_t operation = nullptr;
  table.MatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F);
  const int64_t value = 1;
  EXPECT_EQ(table.MatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &value, 4),
            CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(table.MatmulDescSetAttribute(operation, CUBLASLT_MATMUL_DESC_TRANSA, &value, 8),
            CUBLAS_STATUS_INVALID_VALUE);
  table.MatmulDescDestroy(operation);
}

}  // namespace
}  // namespace fp8q::sim
