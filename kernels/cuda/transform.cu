// Computes y = f(sums): the activation between two products, and any operand made from plain sums.
// A thread makes eight neighbors. If each row has its own scale, which needs all of the row's
// values, a block makes a row.

#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/rows.h"

namespace fp8q::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMostRowThreads = kMostTokenColumns / kVector;
static_assert(kMostRowThreads <= 1024);

template <SumType T, Function F>
__device__ void load_transformed(const Transform& args, int64_t row, int64_t column, Vector& y) {
  load_sums<T>(args.sums, row, args.sum_stride, column, y);
  for (int i = 0; i < kVector; ++i) y[i] = apply<F>(y[i]) * args.factor;
}

template <SumType T, Function F>
__global__ void __launch_bounds__(kThreads) transform_kernel(Transform args) {
  wait_for_inputs();
  // 32 bits are enough, and their division is several times as fast.
  const auto vectors = static_cast<uint32_t>(args.columns / kVector);
  const uint32_t at = blockIdx.x * kThreads + threadIdx.x;
  const uint32_t row = at / vectors;
  if (row >= args.tokens) return;
  const int64_t column = int64_t{at - row * vectors} * kVector;
  Vector y;
  load_transformed<T, F>(args, row, column, y);
  store_results(y, row * args.columns + column, column, args.out);
}

// Returns the largest of the block's values, in all of its threads.
__device__ float block_largest(float x) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  const int warps = static_cast<int>(blockDim.x) / kWarpThreads;
  auto* of_warps = dynamic_shared<float>();
  x = warp_largest(x);
  if (lane == 0) of_warps[threadIdx.x / kWarpThreads] = x;
  __syncthreads();
  return warp_largest(lane < warps ? of_warps[lane] : 0.0f);
}

template <SumType T, Function F>
__global__ void __launch_bounds__(kMostRowThreads) transform_rows_kernel(Transform args) {
  wait_for_inputs();
  const int64_t row = blockIdx.x;
  const int64_t column = int64_t{threadIdx.x} * kVector;
  const bool exists = column < args.columns;
  RowResults out = args.out;
  Vector y;
  float largest = 0;
  if (exists) {
    load_transformed<T, F>(args, row, column, y);
    largest = absmax(y, column, out.operand.rounding);
  }
  scale_for_row(block_largest(largest), out.operand.rounding);
  if (threadIdx.x == 0) out.operand.row_scales[row] = out.operand.rounding.scale;
  if (exists) store_results(y, row * args.columns + column, column, out);
}

}  // namespace

void transform(const Transform& args, Stream stream) noexcept {
  const int64_t vectors = args.columns / kVector;
  const bool rows = args.out.operand.data && args.out.operand.rounding.per_token;
  LaunchShape shape{
      .grid = dim3(static_cast<unsigned>((args.tokens * vectors + kThreads - 1) / kThreads)),
      .threads = kThreads};
  if (rows) {
    const int64_t warps = (vectors + kWarpThreads - 1) / kWarpThreads;
    shape = {.grid = dim3(static_cast<unsigned>(args.tokens)),
             .threads = static_cast<unsigned>(warps * kWarpThreads),
             .shared_bytes = static_cast<size_t>(warps) * sizeof(float)};
  }
  Transform dense = args;
  if (dense.sum_stride == 0) dense.sum_stride = args.columns;
  dense.out.operand.rounding = prepared(args.out.operand.rounding);
  with_sum_type(args.sums.type, [&]<SumType T>() {
    with_function(args.function, [&]<Function F>() {
      launch(rows ? transform_rows_kernel<T, F> : transform_kernel<T, F>, shape, stream, dense);
    });
  });
}

}  // namespace fp8q::cuda
