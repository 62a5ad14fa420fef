// A block computes the context of one head for some query rows of one sequence. It brings the
// sequence's keys and values into shared memory as FP16, as many at a time as fit (usually all),
// and each of its warps takes 16 query rows through them, twice: see attention.h.

#include <algorithm>

#include "kernels/cuda/attention.h"
#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/warp.cuh"

namespace fp8q::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * kWarpThreads;
constexpr int kWarpRows = 16;
constexpr int kStep = 16;  // keys taken at a time
static_assert(kWarps * kWarpRows == kAttentionRows);

// More shared memory than this lets only one block run on a multiprocessor of Hopper.
constexpr int64_t kMostShared = 112 * 1024;

// Rows are 16 bytes longer than their elements, so that the eight rows of a matrix that are loaded
// together lie in different banks.
template <int D>
constexpr int kStride = D + 8;

struct Work {
  Attention args;
  int chunk;          // keys in shared memory, a multiple of kStep
  float score_scale;  // on the product of codes, with log2(e): probabilities are powers of two
  float out_scale;
};

constexpr float kHalfMax = 65504.0f;

__device__ __half2 to_half_pair(float first, float second) {
  return __floats2half2_rn(fminf(fmaxf(first, -kHalfMax), kHalfMax),
                           fminf(fmaxf(second, -kHalfMax), kHalfMax));
}

__device__ __half2 round_pair(float first, float second, const AttentionOperand& o) {
  first *= o.factor;
  second *= o.factor;
  if (!o.format) return to_half_pair(first, second);
  __half2 pair;
  with_format(*o.format, [&]<Format F>() {
    pair = decode_pair<F>(encode_pair<F>(first / o.scale, second / o.scale));
  });
  return pair;
}

__device__ uint32_t bits_of(__half2 pair) {
  uint32_t bits;
  memcpy(&bits, &pair, sizeof bits);
  return bits;
}

// Of Attention::qkv.
constexpr int kQuery = 0, kKey = 1, kValue = 2;

template <SumType T>
__device__ float2 load_pair(const Sums& sums, int64_t index, int64_t column) {
  float2 y;
  if constexpr (T == SumType::bf16) {
    const auto* from = static_cast<const uint16_t*>(sums.data) + index;
    y = bf16_values(*reinterpret_cast<const uint32_t*>(from));
  } else if constexpr (T == SumType::f32) {
    y = *reinterpret_cast<const float2*>(static_cast<const float*>(sums.data) + index);
  } else {
    const int2 pair =
        *reinterpret_cast<const int2*>(static_cast<const int32_t*>(sums.data) + index);
    y = make_float2(static_cast<float>(pair.x), static_cast<float>(pair.y));
  }
  const float* scale = sums.scale ? sums.scale + column : nullptr;
  const float* bias = sums.bias ? sums.bias + column : nullptr;
  return make_float2(fmaf(y.x, scale ? scale[0] : 1.0f, bias ? bias[0] : 0.0f),
                     fmaf(y.y, scale ? scale[1] : 1.0f, bias ? bias[1] : 0.0f));
}

// One head's rows within the packed q, k, v.
template <int D>
struct Head {
  const Attention& args;
  AttentionTile tile;
  int64_t head;

  __device__ int64_t hidden() const { return args.heads * D; }
  __device__ int64_t column() const { return head * D; }
  __device__ int64_t index(int row) const {
    return (tile.first_token + row) * args.qkv_stride + column();
  }
};

// Rows [from, from + count) of keys or values into shared memory, zeros after the sequence's end.
template <int D, SumType T>
__device__ void load_rows(const Head<D>& head, const Sums& sums, const AttentionOperand& operand,
                          int from, int count, __half* to) {
  constexpr int kVectors = D / kVector;
  for (int i = static_cast<int>(threadIdx.x); i < count * kVectors; i += kThreads) {
    const int row = i / kVectors, column = i % kVectors * kVector;
    uint32_t pairs[4] = {};
    if (from + row < head.tile.tokens) {
      Vector y;
      load_sums<T>(sums, head.index(from + row) + column, head.column() + column, y);
#pragma unroll
      for (int j = 0; j < 4; ++j) pairs[j] = bits_of(round_pair(y[2 * j], y[2 * j + 1], operand));
    }
    *reinterpret_cast<uint4*>(to + row * kStride<D> + column) =
        make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
  }
}

// What a warp holds of its 16 query rows; of each thread rows g and g + 8 (see warp.cuh).
template <int D>
struct Rows {
  FragmentA query[D / 16];
  float largest[2] = {-1e30f, -1e30f};  // of this thread's scores; then of the row
  float sum[2] = {};
  FragmentC context[D / 8] = {};
};

template <int D, SumType T>
__device__ void load_queries(const Head<D>& head, int first_row, Rows<D>& rows) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    int row = first_row + lane / 4 + (i % 2) * 8;
    if (row >= head.tile.tokens) row = head.tile.tokens - 1;  // computed, and not stored
#pragma unroll
    for (int k = 0; k < D / 16; ++k) {
      const int column = k * 16 + (lane % 4) * 2 + (i / 2) * 8;
      const float2 y =
          load_pair<T>(head.args.qkv[kQuery], head.index(row) + column, head.column() + column);
      rows.query[k][i] = bits_of(round_pair(y.x, y.y, head.args.query));
    }
  }
}

// Scores of the warp's rows with the keys [key, key + 16) in shared memory, of which `valid` exist.
template <int D>
__device__ void scores(const Rows<D>& rows, const __half* keys, int key, int valid, float scale,
                       FragmentC (&s)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
#pragma unroll
  for (int n = 0; n < 2; ++n) {
    for (float& x : s[n]) x = 0;
    const __half* row = keys + (key + n * 8 + lane % 8) * kStride<D> + lane / 8 * 8;
#pragma unroll
    for (int k = 0; k < D / 16; k += 2) {
      uint32_t b[4];
      load_matrices<false>(b, row + k * 16);
      mma(s[n], rows.query[k], {b[0], b[1]});
      mma(s[n], rows.query[k + 1], {b[2], b[3]});
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const bool exists = n * 8 + (lane % 4) * 2 + i % 2 < valid;
      s[n][i] = exists ? s[n][i] * scale : -INFINITY;
    }
  }
}

// First pass: each thread's largest score and sum of powers, over the keys it sees.
template <int D>
__device__ void gather_sums(const FragmentC (&s)[2], Rows<D>& rows) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float largest = rows.largest[r];
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
      for (int i = 0; i < 2; ++i) largest = fmaxf(largest, s[n][2 * r + i]);
    rows.sum[r] *= exp2f(rows.largest[r] - largest);
#pragma unroll
    for (int n = 0; n < 2; ++n)
#pragma unroll
      for (int i = 0; i < 2; ++i) rows.sum[r] += exp2f(s[n][2 * r + i] - largest);
    rows.largest[r] = largest;
  }
}

template <int D>
__device__ void join_sums(Rows<D>& rows) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float largest = quad_max(rows.largest[r]);
    rows.sum[r] = quad_sum(rows.sum[r] * exp2f(rows.largest[r] - largest));
    rows.largest[r] = largest;
  }
}

// Second pass: context += p v over 16 keys.
template <int D>
__device__ void add_values(const FragmentC (&p)[2], const AttentionOperand& operand,
                           const __half* values, int key, Rows<D>& rows) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  FragmentA a;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    a[i] = bits_of(round_pair(p[i / 2][i % 2 * 2], p[i / 2][i % 2 * 2 + 1], operand));
  const __half* row = values + (key + lane / 8 % 2 * 8 + lane % 8) * kStride<D> + lane / 16 * 8;
#pragma unroll
  for (int n = 0; n < D / 8; n += 2) {
    uint32_t b[4];
    load_matrices<true>(b, row + n * 8);
    mma(rows.context[n], a, {b[0], b[1]});
    mma(rows.context[n + 1], a, {b[2], b[3]});
  }
}

template <int D>
__device__ void observe_probabilities(const FragmentC (&p)[2], const Head<D>& head, int first_row,
                                      int key) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
  const int64_t tokens = head.tile.tokens;
  float* to = head.args.probability_values + head.args.probability_offsets[blockIdx.x] +
              head.head * tokens * tokens;
#pragma unroll
  for (int n = 0; n < 2; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = first_row + lane / 4 + i / 2 * 8;
      const int column = key + n * 8 + lane % 4 * 2 + i % 2;
      if (row < tokens && column < tokens) to[row * tokens + column] = p[n][i];
    }
}

// Two neighbours of an operand.
__device__ void store_pair(float first, float second, int64_t index, const Operand& out) {
  const Rounding& r = out.rounding;
  auto* to = static_cast<uint8_t*>(out.data) + index * element_size(r.type);
  if (!r.format) {
    *reinterpret_cast<uint32_t*>(to) = bf16_pair(first, second);
    return;
  }
  with_format(*r.format, [&]<Format F>() {
    const uint32_t codes = encode_pair<F>(first / r.scale, second / r.scale);
    if (r.type != OperandType::bf16) {
      *reinterpret_cast<uint16_t*>(to) = static_cast<uint16_t>(codes);
      return;
    }
    const float2 values = __half22float2(decode_pair<F>(codes));
    *reinterpret_cast<uint32_t*>(to) = bf16_pair(values.x, values.y);
  });
}

template <int D>
__device__ void store_context(const Rows<D>& rows, const Head<D>& head, int first_row,
                              float scale) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpThreads;
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int row = first_row + lane / 4 + r * 8;
    if (row >= head.tile.first_row + head.tile.rows) continue;
    const int64_t start = (head.tile.first_token + row) * head.hidden() + head.head * D;
#pragma unroll
    for (int n = 0; n < D / 8; ++n) {
      const int64_t index = start + n * 8 + lane % 4 * 2;
      const float first = rows.context[n][2 * r] * scale;
      const float second = rows.context[n][2 * r + 1] * scale;
      if (head.args.out.data) store_pair(first, second, index, head.args.out);
      if (head.args.values)
        *reinterpret_cast<float2*>(head.args.values + index) = make_float2(first, second);
    }
  }
}

template <int D, SumType T>
__global__ void __launch_bounds__(kThreads, 2) attention_kernel(Work work) {
  const Attention& args = work.args;
  if (static_cast<int>(blockIdx.x) >= *args.tile_count) return;
  const Head<D> head{args, args.tiles[blockIdx.x], blockIdx.y};
  const int tokens = head.tile.tokens;
  auto* keys = dynamic_shared<__half>();
  __half* values = keys + work.chunk * kStride<D>;

  const int warp = static_cast<int>(threadIdx.x) / kWarpThreads;
  const bool whole = tokens <= work.chunk;  // everything fits and is loaded once
  const auto rounded_up = [](int n) { return (n + kStep - 1) / kStep * kStep; };
  const auto load = [&](int from, bool with_values) {
    __syncthreads();  // nobody reads the last chunk any more
    const int count = rounded_up(tokens - from < work.chunk ? tokens - from : work.chunk);
    load_rows<D, T>(head, args.qkv[kKey], args.key, from, count, keys);
    if (with_values) load_rows<D, T>(head, args.qkv[kValue], args.value, from, count, values);
    __syncthreads();
  };
  if (whole) load(0, true);

  for (int block = 0; block < head.tile.rows; block += kAttentionRows) {
    const int first_row = head.tile.first_row + block + warp * kWarpRows;
    const bool busy = first_row < head.tile.first_row + head.tile.rows;
    Rows<D> rows;
    if (busy) load_queries<D, T>(head, first_row, rows);
    FragmentC s[2];

    for (int from = 0; from < tokens; from += work.chunk) {
      if (!whole) load(from, false);
      for (int key = 0; busy && key < work.chunk && from + key < tokens; key += kStep) {
        scores(rows, keys, key, tokens - from - key, work.score_scale, s);
        gather_sums(s, rows);
      }
    }
    if (busy) join_sums(rows);

    for (int from = 0; from < tokens; from += work.chunk) {
      if (!whole) load(from, true);
      for (int key = 0; busy && key < work.chunk && from + key < tokens; key += kStep) {
        scores(rows, keys, key, tokens - from - key, work.score_scale, s);
#pragma unroll
        for (int n = 0; n < 2; ++n)
#pragma unroll
          for (int i = 0; i < 4; ++i)
            s[n][i] = exp2f(s[n][i] - rows.largest[i / 2]) / rows.sum[i / 2];
        if (args.probability_values) observe_probabilities(s, head, first_row, from + key);
        add_values(s, args.probabilities, values, key, rows);
      }
    }
    if (busy) store_context(rows, head, first_row, work.out_scale);
  }
}

template <int D, SumType T>
void launch_attention(const Attention& args, Stream stream) {
  constexpr int64_t kKeyBytes = 2 * kStride<D> * sizeof(__half);
  const int64_t fitting = std::min(args.shared_limit, kMostShared) / kKeyBytes / kStep * kStep;
  const int64_t needed = (args.longest + kStep - 1) / kStep * kStep;
  const auto scale_of = [](const AttentionOperand& o) { return o.format ? o.scale : 1.0f; };
  constexpr float kLog2E = 1.44269504088896341f;
  const Work work{
      .args = args,
      .chunk = static_cast<int>(std::min(fitting, needed)),
      .score_scale = args.scale * scale_of(args.query) * scale_of(args.key) * kLog2E,
      .out_scale = scale_of(args.probabilities) * scale_of(args.value),
  };
  launch(attention_kernel<D, T>,
         {.grid = dim3(static_cast<unsigned>(args.most_tiles), static_cast<unsigned>(args.heads)),
          .threads = kThreads,
          .shared_bytes = static_cast<size_t>(work.chunk * kKeyBytes)},
         stream, work);
}

}  // namespace

void attention(const Attention& args, Stream stream) noexcept {
  with_sum_type(args.qkv[kQuery].type, [&]<SumType T>() {
    switch (args.head_size) {
      case 32:
        return launch_attention<32, T>(args, stream);
      case 64:
        return launch_attention<64, T>(args, stream);
      case 128:
        return launch_attention<128, T>(args, stream);
      default:
        return;  // refused when the engine is made
    }
  });
}

}  // namespace fp8q::cuda
