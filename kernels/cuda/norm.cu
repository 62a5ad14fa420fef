// Does the embedding lookup and residual sums, each with its LayerNorm and the rounding for the
// next step. One warp holds one row in registers.

#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/rows.h"
#include "kernels/cuda/warp.cuh"

namespace fp8q::cuda {
namespace {

constexpr int kWarps = 4;  // rows of a block, one per warp

// Holds the vectors of a row that lane l has: l, l + 32, ... of columns / 8.
template <int V>
struct Row {
  Vector x[V];
  int64_t columns;

  __device__ explicit Row(int64_t row_columns) : columns(row_columns) {}

  __device__ int64_t column(int v) const {
    return (v * kWarpThreads + static_cast<int>(threadIdx.x) % kWarpThreads) * kVector;
  }

  template <class Body>
  __device__ void each(const Body& body) {
#pragma unroll
    for (int v = 0; v < V; ++v)
      if (column(v) < columns) body(column(v), x[v]);
  }

  __device__ float sum() {
    float total = 0;
    each([&](int64_t, Vector& part) {
      for (int i = 0; i < kVector; ++i) total += part[i];
    });
    return warp_sum(total);
  }
};

__device__ int64_t token_of_warp() {
  return static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / kWarpThreads;
}

// Returns 1 / sqrt(x) within two units in the last place.
__device__ float inverse_root(float x) {
#ifdef __CUDA_ARCH__
  return rsqrtf(x);
#else
  return 1.0f / sqrtf(x);
#endif
}

// Applies LayerNorm to the row and stores its results. If tokens have scales, a row is normalized
// before any of it is rounded. Otherwise each vector is stored at once, so that fewer values are
// held.
template <int V, bool kTokenScales>
__device__ void finish(Row<V>& row, int64_t token, const Norm& norm, RowResults out) {
  const auto n = static_cast<float>(row.columns);
  const float mean = row.sum() / n;
  float squares = 0;
  row.each([&](int64_t, Vector& x) {
    for (int i = 0; i < kVector; ++i) {
      x[i] -= mean;
      squares = fmaf(x[i], x[i], squares);
    }
  });
  const float factor = inverse_root(warp_sum(squares) / n + norm.epsilon);
  const auto normalize = [&](int64_t column, Vector& x) {
    Vector gamma, beta;
    load_f32(norm.gamma + column, gamma);
    load_f32(norm.beta + column, beta);
    for (int i = 0; i < kVector; ++i) x[i] = fmaf(x[i] * factor, gamma[i], beta[i]);
  };
  const auto store = [&](int64_t column, const Vector& x) {
    store_results(x, token * row.columns + column, column, out);
  };
  if constexpr (kTokenScales) {
    float largest = 0;
    row.each([&](int64_t column, Vector& x) {
      normalize(column, x);
      largest = larger(largest, absmax(x, column, out.operand.rounding));
    });
    scale_for_row(warp_largest(largest), out.operand.rounding);
    if (threadIdx.x % kWarpThreads == 0) out.operand.row_scales[token] = out.operand.rounding.scale;
    row.each(store);
  } else {
    row.each([&](int64_t column, Vector& x) {
      normalize(column, x);
      store(column, x);
    });
  }
}

template <int V, bool kTokenScales>
__global__ void __launch_bounds__(kWarps* kWarpThreads) embed_kernel(Embed args) {
  wait_for_inputs();
  const int64_t token = token_of_warp();
  if (token >= args.tokens) return;
  const int64_t columns = args.columns;
  const float* word = args.word + args.ids[token] * columns;
  const float* position = args.position + args.positions[token] * columns;
  const float* type = args.token_type;
  if (type && args.type_ids) type += args.type_ids[token] * columns;

  Row<V> row(columns);
  row.each([&](int64_t column, Vector& x) {
    load_f32(word + column, x);
    Vector other;
    if (type) {
      load_f32(type + column, other);
      for (int i = 0; i < kVector; ++i) x[i] += other[i];
    }
    load_f32(position + column, other);
    for (int i = 0; i < kVector; ++i) x[i] += other[i];
  });
  finish<V, kTokenScales>(row, token, args.norm, args.out);
}

template <int V, bool kTokenScales, SumType T>
__global__ void __launch_bounds__(kWarps* kWarpThreads) add_norm_kernel(AddNorm args) {
  wait_for_inputs();
  const int64_t token = token_of_warp();
  if (token >= args.tokens) return;
  Row<V> row(args.columns);
  row.each([&](int64_t column, Vector& x) {
    load_sums<T>(args.sums, token, args.columns, column, x);
    Vector residual;
    load_bf16(args.residual + token * args.columns + column, residual);
    for (int i = 0; i < kVector; ++i) x[i] += residual[i];
  });
  finish<V, kTokenScales>(row, token, args.norm, args.out);
}

// Calls body.template operator()<V, kTokenScales>() with the smallest V whose warps hold a row.
template <class Body>
void with_row(int64_t columns, const Operand& out, const Body& body) {
  const int64_t vectors = (columns / kVector + kWarpThreads - 1) / kWarpThreads;
  const bool token_scales = out.data && out.rounding.per_token;
  const auto with_vectors = [&]<int V>() {
    if (token_scales) body.template operator()<V, true>();
    else body.template operator()<V, false>();
  };
  if (vectors <= 1) return with_vectors.template operator()<1>();
  if (vectors <= 2) return with_vectors.template operator()<2>();
  if (vectors <= 3) return with_vectors.template operator()<3>();
  return with_vectors.template operator()<kMostNormColumns / kVector / kWarpThreads>();
}

template <class Args>
Args ready(Args args) {
  args.out.operand.rounding = prepared(args.out.operand.rounding);
  return args;
}

LaunchShape shape_for(int64_t tokens) {
  return {.grid = dim3(static_cast<unsigned>((tokens + kWarps - 1) / kWarps)),
          .threads = kWarps * kWarpThreads};
}

}  // namespace

void embed(const Embed& args, Stream stream) noexcept {
  with_row(args.columns, args.out.operand, [&]<int V, bool kTokenScales>() {
    LaunchShape shape = shape_for(args.tokens);
    shape.follows_kernel = false;  // it follows the copy of the ids
    launch(embed_kernel<V, kTokenScales>, shape, stream, ready(args));
  });
}

void add_norm(const AddNorm& args, Stream stream) noexcept {
  with_row(args.columns, args.out.operand, [&]<int V, bool kTokenScales>() {
    with_sum_type(args.sums.type, [&]<SumType T>() {
      launch(add_norm_kernel<V, kTokenScales, T>, shape_for(args.tokens), stream, ready(args));
    });
  });
}

}  // namespace fp8q::cuda
