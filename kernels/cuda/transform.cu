// y = f(sums): the activation between two products, and any operand made from plain sums.

#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/rows.h"

namespace fp8q::cuda {
namespace {

constexpr int kThreads = 256;

template <SumType T>
__global__ void __launch_bounds__(kThreads) transform_kernel(Transform args) {
  const int64_t vectors = args.columns / kVector;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= args.tokens * vectors) return;
  const int64_t row = at / vectors, column = at % vectors * kVector;
  Vector y;
  load_sums<T>(args.sums, row * args.sum_stride + column, column, y);
  for (int i = 0; i < kVector; ++i) y[i] = apply(args.function, y[i]) * args.factor;
  store_results(y, at * kVector, args.out);
}

}  // namespace

void transform(const Transform& args, Stream stream) noexcept {
  const int64_t vectors = args.tokens * (args.columns / kVector);
  const LaunchShape shape{.grid = dim3(static_cast<unsigned>((vectors + kThreads - 1) / kThreads)),
                          .threads = kThreads};
  Transform dense = args;
  if (dense.sum_stride == 0) dense.sum_stride = args.columns;
  with_sum_type(args.sums.type,
                [&]<SumType T>() { launch(transform_kernel<T>, shape, stream, dense); });
}

}  // namespace fp8q::cuda
