// Computes the linear layers of a head: few rows, FP32. A block keeps some rows of x in shared
// memory, and each of its warps handles one output column at a time, so that a weight is read once
// for all of these rows.

#include <algorithm>

#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/rows.h"
#include "kernels/cuda/warp.cuh"

namespace fp8q::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kMostRows = 8;  // rows of a block
static_assert(kMostRows <= kWarps);
constexpr int64_t kSharedFloats = 12 * 1024;

struct DenseLaunch {
  Dense args;
  int rows;  // rows of a block, at most kMostRows
};

__device__ float element(const Dense& args, int64_t row, int64_t k) {
  const int64_t from = args.offsets ? args.offsets[row] : row;
  const float x = args.x[from * args.in + k];
  return args.rounding.factors ? x * args.rounding.factors[k] : x;
}

// A warp rounds a row by its own scale, which it returns.
__device__ float round_row(float* x, int lane, const Dense& args) {
  float largest = 0;
  for (int64_t k = lane; k < args.in; k += kWarpThreads) largest = larger(largest, fabsf(x[k]));
  Rounding rounding = args.rounding;
  scale_for_row(warp_largest(largest), rounding);
  for (int64_t k = lane; k < args.in; k += kWarpThreads) x[k] = rounded(x[k], rounding);
  return rounding.scale;
}

template <Function F>
__global__ void __launch_bounds__(kWarps* kWarpThreads) dense_kernel(DenseLaunch work) {
  wait_for_inputs();
  const Dense& args = work.args;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * work.rows;
  const int rows = args.rows - first < work.rows ? static_cast<int>(args.rows - first) : work.rows;
  auto* x = dynamic_shared<float>();       // [rows, in]
  float* row_scales = x + rows * args.in;  // [rows], per_token
  const bool per_token = args.rounding.per_token;
  for (int64_t i = threadIdx.x; i < rows * args.in; i += kWarps * kWarpThreads) {
    const float value = element(args, first + i / args.in, i % args.in);
    x[i] = per_token ? value : rounded(value, args.rounding);
  }
  const int warp = static_cast<int>(threadIdx.x) / kWarpThreads;
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  if (per_token) {
    __syncthreads();
    if (warp < rows) row_scales[warp] = round_row(x + warp * args.in, lane, args);
  }
  __syncthreads();

  const int64_t n = static_cast<int64_t>(blockIdx.y) * kWarps + warp;
  if (n >= args.out) return;
  float sums[kMostRows] = {};
  for (int64_t k = lane; k < args.in; k += kWarpThreads) {
    const float w = args.weight[n * args.in + k];
#pragma unroll
    for (int r = 0; r < kMostRows; ++r)
      if (r < rows) sums[r] = fmaf(x[r * args.in + k], w, sums[r]);
  }
  const float scale = args.scale ? args.scale[n] : 1.0f;
  const float bias = args.bias ? args.bias[n] : 0.0f;
#pragma unroll
  for (int r = 0; r < kMostRows; ++r) {
    if (r >= rows) break;
    const float sum = warp_sum(sums[r]);
    if (lane == 0)
      args.y[(first + r) * args.out + n] =
          apply<F>(fmaf(sum * (per_token ? row_scales[r] : 1.0f), scale, bias));
  }
}

}  // namespace

bool has_device_code() noexcept { return has_code(dense_kernel<Function::none>); }

void dense(const Dense& args, Stream stream) noexcept {
  const int64_t rows = std::clamp<int64_t>(kSharedFloats / (args.in + 1), 1, kMostRows);
  const LaunchShape shape{
      .grid = dim3(static_cast<unsigned>((args.rows + rows - 1) / rows),
                   static_cast<unsigned>((args.out + kWarps - 1) / kWarps)),
      .threads = kWarps * kWarpThreads,
      .shared_bytes = static_cast<size_t>(rows * (args.in + 1)) * sizeof(float)};
  DenseLaunch work{args, static_cast<int>(rows)};
  work.args.rounding = prepared(args.rounding);
  with_function(args.function, [&]<Function F>() { launch(dense_kernel<F>, shape, stream, work); });
}

}  // namespace fp8q::cuda
