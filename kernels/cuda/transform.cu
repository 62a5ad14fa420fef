// y = f(sums): the activation between two products, and any operand made from plain sums.

#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/rows.h"

namespace fp8q::cuda {
namespace {

constexpr int kThreads = 256;

template <SumType T, Function F>
__global__ void __launch_bounds__(kThreads) transform_kernel(Transform args) {
  wait_for_inputs();
  // 32 bits are enough, and divided several times as fast.
  const auto vectors = static_cast<uint32_t>(args.columns / kVector);
  const uint32_t at = blockIdx.x * kThreads + threadIdx.x;
  const uint32_t row = at / vectors;
  if (row >= args.tokens) return;
  const int64_t column = int64_t{at - row * vectors} * kVector;
  Vector y;
  load_sums<T>(args.sums, row * args.sum_stride + column, column, y);
  for (int i = 0; i < kVector; ++i) y[i] = apply<F>(y[i]) * args.factor;
  store_results(y, row * args.columns + column, args.out);
}

}  // namespace

void transform(const Transform& args, Stream stream) noexcept {
  const int64_t vectors = args.tokens * (args.columns / kVector);
  const LaunchShape shape{.grid = dim3(static_cast<unsigned>((vectors + kThreads - 1) / kThreads)),
                          .threads = kThreads};
  Transform dense = args;
  if (dense.sum_stride == 0) dense.sum_stride = args.columns;
  dense.out.operand.rounding = with_inverse(args.out.operand.rounding);
  with_sum_type(args.sums.type, [&]<SumType T>() {
    with_function(args.function,
                  [&]<Function F>() { launch(transform_kernel<T, F>, shape, stream, dense); });
  });
}

}  // namespace fp8q::cuda
