// A block computes the context of one head for some query rows of one sequence. It copies the
// sequence's keys and values into shared memory as FP16, as many at a time as fit (usually all).
// Each of its warps takes 16 query rows through them, twice: see attention.h.

#include <algorithm>
#include <optional>

#include "kernels/cuda/attention.h"
#include "kernels/cuda/codec.cuh"
#include "kernels/cuda/warp.cuh"

namespace fp8q::cuda {
namespace {

constexpr int kFewWarps = 4, kManyWarps = 8;  // warps of a block
constexpr int kWarpRows = 16;
constexpr int kStep = 16;  // keys handled at a time
static_assert(kFewWarps * kWarpRows == kAttentionRows);

// With more shared memory than this, only one block runs on a multiprocessor of Hopper. Sequences
// whose keys and values do not all fit in shared memory come in parts of such a size.
constexpr int64_t kShared = 112 * 1024;

// These are indices of Attention::qkv and operands.
constexpr int kQuery = 0, kKey = 1, kValue = 2;

struct Work {
  Attention args;
  int chunk;          // number of keys in shared memory, a multiple of kStep
  float score_scale;  // multiplies products of codes; has log2(e), for powers of two
  float out_scale;
};

// Rows of D halves lie in shared memory as D / 8 chunks of 16 bytes. They are permuted from row to
// row, so that eight rows' chunks of one column, which matrix loads take together, are in different
// banks.
template <int D>
__device__ int chunk_at(int row, int chunk) {
  const int turn = D >= 64 ? row % 8 : row / 2 % 4;
  return row * (D / 8) + (chunk ^ turn);
}
template <int D>
__device__ __half* chunk_of(__half* rows, int row, int chunk) {
  return rows + 8 * chunk_at<D>(row, chunk);
}

__device__ int lane_of_thread() { return static_cast<int>(threadIdx.x) % kWarpThreads; }

// Says how an operand is rounded, and holds the numbers that do not change from value to value.
struct Rounder {
  std::optional<Format> format;
  float factor, scale, inverse;

  __device__ explicit Rounder(const AttentionOperand& o)
      : format(o.format), factor(o.factor), scale(o.scale), inverse(1.0f / o.scale) {}
};

// Return two values as the products take them: unquantized, or rounded to values of codes.
struct Unquantized {
  static __device__ __half2 round(float first, float second, const Rounder&) {
    constexpr float kLargest = 65504;
    return __floats2half2_rn(fminf(fmaxf(first, -kLargest), kLargest),
                             fminf(fmaxf(second, -kLargest), kLargest));
  }
};
template <Format kFormat>
struct ValuesOf {
  static __device__ __half2 round(float first, float second, const Rounder& r) {
    return round_to_values<kFormat>(divide(first, r.scale, r.inverse),
                                    divide(second, r.scale, r.inverse));
  }
};

// Calls body with Unquantized or the ValuesOf the format, outside of loops.
template <class Body>
__device__ void with_rounding(const Rounder& rounder, const Body& body) {
  if (!rounder.format) return body.template operator()<Unquantized>();
  cuda::with_format(*rounder.format, [&]<Format F>() { body.template operator()<ValuesOf<F>>(); });
}

template <class Values>
__device__ uint32_t round_pair(float first, float second, const Rounder& r) {
  const __half2 pair = Values::round(first, second, r);
  uint32_t bits;
  memcpy(&bits, &pair, sizeof bits);
  return bits;
}

// Describes one head's rows of one sequence.
template <int D>
struct Head {
  const Attention& args;
  AttentionTile tile;
  int head;

  __device__ int64_t column() const { return int64_t{head} * D; }
  __device__ int64_t token(int row) const { return int64_t{tile.first_token} + row; }
};

// Loads rows [from, from + count) of q, k or v into shared memory, with zeros after the end of the
// sequence. A thread stays in its columns, and has several rows under way. It has fewer if rows
// have scales of their own, which take the registers of the others.
template <int D, int W, SumType T>
__device__ void load_rows(const Head<D>& head, int which, int from, int count, __half* to) {
  constexpr int kChunks = D / kVector, kRowStep = W * kWarpThreads / kChunks;
  const int chunk = static_cast<int>(threadIdx.x) % kChunks;
  const int64_t column = head.column() + chunk * kVector;
  const Sums& sums = head.args.qkv[which];
  const Columns columns(sums, column);
  const Rounder rounder(head.args.operands[which]);
  const int existing = head.tile.tokens - from;
  const auto token_of = [&](int row) {
    return head.token(from + (row < existing ? row : existing - 1));
  };

  const auto load = [&]<class Values, bool kRowScales>() {
    constexpr int kRows = T == SumType::bf16 && !kRowScales ? 4 : 2;
#pragma unroll 1
    for (int first = static_cast<int>(threadIdx.x) / kChunks; first < count;
         first += kRowStep * kRows) {
      Vector y[kRows];
#pragma unroll
      for (int i = 0; i < kRows; ++i)
        load_raw<T>(sums.data, token_of(first + i * kRowStep) * head.args.qkv_stride + column,
                    y[i]);
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        const int row = first + i * kRowStep;
        columns.apply(kRowScales ? sums.row_scale[token_of(row)] : 1.0f, y[i]);
        uint32_t pairs[4] = {};
#pragma unroll
        for (int j = 0; j < 4; ++j)
          if (row < existing)
            pairs[j] = round_pair<Values>(y[i][2 * j] * rounder.factor,
                                          y[i][2 * j + 1] * rounder.factor, rounder);
        if (row < count)
          *reinterpret_cast<uint4*>(chunk_of<D>(to, row, chunk)) =
              make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
      }
    }
  };
  with_rounding(rounder, [&]<class Values>() {
    if (sums.row_scale) load.template operator()<Values, true>();
    else load.template operator()<Values, false>();
  });
}

// Holds a warp's data for its 16 query rows; each thread has rows g and g + 8 (see warp.cuh).
template <int D>
struct Rows {
  FragmentA query[D / 16];
  float largest[2] = {-1e30f, -1e30f};  // largest score of this thread, then of the row
  float sum[2] = {};                    // sum of powers; after join_sums its inverse
  FragmentC context[D / 8] = {};

  __device__ explicit Rows(__half* queries) {
    const int lane = lane_of_thread();
#pragma unroll
    for (int k = 0; k < D / 16; ++k)
      load_matrices<false>(query[k], chunk_of<D>(queries, lane % 16, 2 * k + lane / 16));
  }
};

// Computes the scores of the warp's rows with the keys [key, key + 16) in shared memory, of which
// `valid` exist.
template <int D>
__device__ void scores(const Rows<D>& rows, __half* keys, int key, int valid, float scale,
                       FragmentC (&s)[2]) {
  const int lane = lane_of_thread();
#pragma unroll
  for (int n = 0; n < 2; ++n) {
    for (float& x : s[n]) x = 0;
    const int row = key + n * 8 + lane % 8;
#pragma unroll
    for (int k = 0; k < D / 16; k += 2) {
      uint32_t b[4];
      load_matrices<false>(b, chunk_of<D>(keys, row, 2 * k + lane / 8));
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

// In the first pass, each thread finds its largest score and sum of powers over the keys that it
// sees.
template <int D>
__device__ void gather_sums(const FragmentC (&s)[2], Rows<D>& rows) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float largest = rows.largest[r];
#pragma unroll
    for (int i = 0; i < 4; ++i) largest = fmaxf(largest, s[i / 2][2 * r + i % 2]);
    rows.sum[r] *= fast_exp2(rows.largest[r] - largest);
#pragma unroll
    for (int i = 0; i < 4; ++i) rows.sum[r] += fast_exp2(s[i / 2][2 * r + i % 2] - largest);
    rows.largest[r] = largest;
  }
}

template <int D>
__device__ void join_sums(Rows<D>& rows) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float largest = quad_max(rows.largest[r]);
    rows.sum[r] = 1.0f / quad_sum(rows.sum[r] * fast_exp2(rows.largest[r] - largest));
    rows.largest[r] = largest;
  }
}

// In the second pass, scores become probabilities.
template <int D>
__device__ void normalize(const Rows<D>& rows, FragmentC (&s)[2]) {
#pragma unroll
  for (int n = 0; n < 2; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      s[n][i] = fast_exp2(s[n][i] - rows.largest[i / 2]) * rows.sum[i / 2];
}

// Computes context += p v over the keys [key, key + 16).
template <int D, class Values>
__device__ void add_values(const FragmentC (&p)[2], const Rounder& rounder, __half* values, int key,
                           Rows<D>& rows) {
  const int lane = lane_of_thread();
  FragmentA a;
#pragma unroll
  for (int i = 0; i < 4; ++i)
    a[i] = round_pair<Values>(p[i / 2][i % 2 * 2], p[i / 2][i % 2 * 2 + 1], rounder);
#pragma unroll
  for (int n = 0; n < D / 8; n += 2) {
    uint32_t b[4];
    load_matrices<true>(b, chunk_of<D>(values, key + lane % 16, n + lane / 16));
    mma(rows.context[n], a, {b[0], b[1]});
    mma(rows.context[n + 1], a, {b[2], b[3]});
  }
}

template <int D>
__device__ void observe_probabilities(const FragmentC (&p)[2], const Head<D>& head, int first_row,
                                      int key) {
  const int lane = lane_of_thread();
  const int64_t tokens = head.tile.tokens;
  float* to = head.args.probability_values + head.args.probability_offsets[blockIdx.x] +
              head.head * tokens * tokens;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int row = first_row + lane / 4 + i / 2 % 2 * 8;
    const int column = key + i / 4 * 8 + lane % 4 * 2 + i % 2;
    if (row < tokens && column < tokens) to[row * tokens + column] = p[i / 4][i % 4];
  }
}

// Turns the fragments into rows by way of the warp's `memory` (16 rows of D halves, which hold half
// the columns as FP32), so that stores write whole vectors.
template <int D>
__device__ void store_context(const Rows<D>& rows, const Head<D>& head, int first_row, float scale,
                              __half* memory) {
  const int lane = lane_of_thread();
  const auto place = [&](int row, int column) {
    return reinterpret_cast<float*>(chunk_of<D>(memory, row, column / 4)) + column % 4;
  };
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    __syncwarp();
#pragma unroll
    for (int n = 0; n < D / 16; ++n)
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const float* pair = &rows.context[half * (D / 16) + n][2 * r];
        *reinterpret_cast<float2*>(place(lane / 4 + r * 8, n * 8 + lane % 4 * 2)) =
            make_float2(pair[0] * scale, pair[1] * scale);
      }
    __syncwarp();
    constexpr int kVectors = D / 16;  // vectors of half a row
#pragma unroll 1
    for (int i = lane; i < kWarpRows * kVectors; i += kWarpThreads) {
      const int row = i / kVectors, column = i % kVectors * kVector;
      if (first_row + row >= head.tile.first_row + head.tile.rows) break;
      const float4 low = *reinterpret_cast<const float4*>(place(row, column));
      const float4 high = *reinterpret_cast<const float4*>(place(row, column + 4));
      const Vector x = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
      const int64_t channel = head.column() + half * (D / 2) + column;
      const int64_t index = head.token(first_row + row) * head.args.heads * D + channel;
      if (head.args.out.data) store_operand(x, index, channel, head.args.out);
      if (head.args.values) store_f32(x, head.args.values + index);
    }
  }
}

// Returns how many blocks the 64 Ki registers of a multiprocessor should hold. Sixteen warps leave
// each thread 128 registers, which is enough except for heads of 128. There query and context alone
// take 96, and eight warps fill the shared memory anyway unless sequences are short. Before compute
// capability 8.9 conversions to FP8 are software, for which heads of 64 need more registers as
// well.
constexpr int least_blocks(int64_t head_size, int warps) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 890
  constexpr int64_t kSixteenWarps = 32;
#else
  constexpr int64_t kSixteenWarps = 64;
#endif
  return (head_size <= kSixteenWarps ? 16 : 8) / warps;
}

template <int D, int W, SumType T>
__global__ void __launch_bounds__(W* kWarpThreads, least_blocks(D, W)) attention_kernel(Work work) {
  wait_for_inputs();
  constexpr int kRows = W * kWarpRows;  // query rows handled at a time
  const Attention& args = work.args;
  if (static_cast<int>(blockIdx.x) >= *args.tile_count) return;
  const Head<D> head{args, args.tiles[blockIdx.x], static_cast<int>(blockIdx.y)};
  const int tokens = head.tile.tokens;
  auto* queries = dynamic_shared<__half>();  // [kRows, D]
  __half* keys = queries + kRows * D;
  __half* values = keys + work.chunk * D;
  const int warp = static_cast<int>(threadIdx.x) / kWarpThreads;
  __half* own_rows = queries + warp * kWarpRows * D;
  const bool whole = tokens <= work.chunk;  // keys and values are loaded once
  const Rounder rounder(args.probabilities);

#pragma unroll 1
  for (int block = 0; block < head.tile.rows; block += kRows) {
    const int first_row = head.tile.first_row + block + warp * kWarpRows;
    const bool busy = first_row < head.tile.first_row + head.tile.rows;
    __syncthreads();  // no thread needs the last rows any more
    load_rows<D, W, T>(head, kQuery, head.tile.first_row + block, kRows, queries);
    __syncthreads();
    Rows<D> rows(own_rows);

#pragma unroll 1
    for (int pass = 0; pass < 2; ++pass) {
#pragma unroll 1
      for (int from = 0; from < tokens; from += work.chunk) {
        const int count = tokens - from < work.chunk ? tokens - from : work.chunk;
        if (!whole || (block == 0 && pass == 0)) {
          __syncthreads();  // no thread reads the last chunk any more
          const int last = whole || pass == 1 ? kValue : kKey;
#pragma unroll 1
          for (int which = kKey; which <= last; ++which)
            load_rows<D, W, T>(head, which, from, (count + kStep - 1) / kStep * kStep,
                               which == kKey ? keys : values);
          __syncthreads();
        }
        if (!busy) continue;
        if (pass == 0) {
#pragma unroll 1
          for (int key = 0; key < count; key += kStep) {
            FragmentC s[2];
            scores(rows, keys, key, count - key, work.score_scale, s);
            gather_sums(s, rows);
          }
          continue;
        }
        with_rounding(rounder, [&]<class Values>() {
#pragma unroll 1
          for (int key = 0; key < count; key += kStep) {
            FragmentC s[2];
            scores(rows, keys, key, count - key, work.score_scale, s);
            normalize(rows, s);
            if (args.probability_values) observe_probabilities(s, head, first_row, from + key);
            add_values<D, Values>(s, rounder, values, key, rows);
          }
        });
      }
      if (pass == 0) join_sums(rows);
    }
    if (busy) store_context(rows, head, first_row, work.out_scale, own_rows);
  }
}

// Computes the shared memory of a block, which holds its query rows and as many keys with their
// values as fit.
struct Room {
  int64_t keys, bytes;

  Room(int64_t longest, int64_t head_size, int64_t limit, int warps) {
    const int64_t row_bytes = head_size * static_cast<int64_t>(sizeof(__half));
    const int64_t query_bytes = warps * kWarpRows * row_bytes, pair_bytes = 2 * row_bytes;
    keys = (longest + kStep - 1) / kStep * kStep;
    if (query_bytes + keys * pair_bytes > limit)
      keys = (std::min(limit, kShared) - query_bytes) / pair_bytes / kStep * kStep;
    bytes = query_bytes + keys * pair_bytes;
  }
};

template <int D, int W, SumType T>
void launch_attention(const Attention& args, Stream stream) {
  const Room room(args.longest, D, args.shared_limit, W);
  const auto scale_of = [](const AttentionOperand& o) { return o.format ? o.scale : 1.0f; };
  constexpr float kLog2E = 1.44269504088896341f;
  Work work{
      .args = args,
      .chunk = static_cast<int>(room.keys),
      .score_scale =
          args.scale * scale_of(args.operands[kQuery]) * scale_of(args.operands[kKey]) * kLog2E,
      .out_scale = scale_of(args.probabilities) * scale_of(args.operands[kValue]),
  };
  work.args.out.rounding = prepared(args.out.rounding);
  launch(attention_kernel<D, W, T>,
         {.grid = dim3(static_cast<unsigned>(args.most_tiles), static_cast<unsigned>(args.heads)),
          .threads = W * kWarpThreads,
          .shared_bytes = static_cast<size_t>(room.bytes)},
         stream, work);
}

}  // namespace

int attention_warps(int64_t longest, int64_t head_size, int64_t shared_limit) {
  constexpr int64_t kKept = 1024;  // bytes that CUDA keeps of all shared memory and of each block
  const auto resident = [&](int warps) {
    const int64_t bytes = Room(longest, head_size, shared_limit, warps).bytes;
    return warps * std::min<int64_t>((shared_limit + kKept) / (bytes + kKept),
                                     least_blocks(head_size, warps));
  };
  return resident(kManyWarps) > resident(kFewWarps) ? kManyWarps : kFewWarps;
}

void attention(const Attention& args, Stream stream) noexcept {
  const bool many = attention_warps(args.longest, args.head_size, args.shared_limit) == kManyWarps;
  const auto launch_for = [&]<int D, SumType T>() {
    if (many) launch_attention<D, kManyWarps, T>(args, stream);
    else launch_attention<D, kFewWarps, T>(args, stream);
  };
  const auto launch_with = [&]<SumType T>() {
    switch (args.head_size) {
      case 32:
        return launch_for.template operator()<32, T>();
      case 64:
        return launch_for.template operator()<64, T>();
      case 128:
        return launch_for.template operator()<128, T>();
      default:
        return;  // the engine refuses other sizes when it is made
    }
  };
  if (args.qkv[kQuery].type == SumType::i32) launch_with.template operator()<SumType::i32>();
  else launch_with.template operator()<SumType::bf16>();
}

}  // namespace fp8q::cuda
