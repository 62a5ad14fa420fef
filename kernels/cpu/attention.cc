#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/codec.h"
#include "kernels/cpu/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fp8q::cpu {
namespace HWY_NAMESPACE {
namespace {

static_assert(kPanel % kLanes32 == 0);

// The largest of x[0, n); rows are padded to whole vectors.
HWY_INLINE float Largest(const float* x, size_t n) {
  const D32 d;
  const V32 lowest = hn::Set(d, -hwy::HighestValue<float>());
  V32 best = lowest;
  size_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32) best = hn::Max(best, hn::LoadU(d, x + i));
  if (i < n)
    best = hn::Max(best, hn::IfThenElse(hn::FirstN(d, n - i), hn::LoadU(d, x + i), lowest));
  return hn::GetLane(hn::MaxOfLanes(d, best));
}

void SoftmaxRow(float* x, size_t n, float scale) {
  const D32 d;
  const size_t padded = panels(n) * kPanel;
  const V32 vscale = hn::Set(d, scale);
  for (size_t i = 0; i < padded; i += kLanes32)
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), vscale), d, x + i);
  const V32 largest = hn::Set(d, Largest(x, n));
  HWY_ALIGN float part[kPartialSums] = {};
  for (size_t i = 0; i < padded; i += kLanes32) {
    V32 e = Exp32(hn::Sub(hn::LoadU(d, x + i), largest));
    if (i + kLanes32 > n) e = hn::IfThenElseZero(hn::FirstN(d, n > i ? n - i : 0), e);
    hn::StoreU(e, d, x + i);
    float* sum = part + i % kPartialSums;
    hn::Store(hn::Add(hn::Load(d, sum), e), d, sum);
  }
  const V32 total = hn::Set(d, TreeSum(part));
  for (size_t i = 0; i < padded; i += kLanes32)
    hn::StoreU(hn::Div(hn::LoadU(d, x + i), total), d, x + i);
}

void SoftmaxRows(const Softmax& s) {
  for (size_t r = 0; r < s.rows; ++r) SoftmaxRow(s.x + r * s.stride, s.columns, s.scale);
}

// The first channels of four tokens, transposed in registers by blocks of 4 x 4. Returns how many.
HWY_INLINE size_t TransposeFour([[maybe_unused]] const float* from, [[maybe_unused]] size_t stride,
                                [[maybe_unused]] size_t size, [[maybe_unused]] float* to) {
  size_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d4;
  const hn::FixedTag<uint64_t, 2> d2;
  for (; c + 4 <= size; c += 4) {
    const auto r0 = hn::LoadU(d4, from + c);
    const auto r1 = hn::LoadU(d4, from + stride + c);
    const auto r2 = hn::LoadU(d4, from + 2 * stride + c);
    const auto r3 = hn::LoadU(d4, from + 3 * stride + c);
    const auto lo01 = hn::BitCast(d2, hn::InterleaveLower(d4, r0, r1));
    const auto lo23 = hn::BitCast(d2, hn::InterleaveLower(d4, r2, r3));
    const auto hi01 = hn::BitCast(d2, hn::InterleaveUpper(d4, r0, r1));
    const auto hi23 = hn::BitCast(d2, hn::InterleaveUpper(d4, r2, r3));
    float* at = to + c * kPanel;
    hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, lo01, lo23)), d4, at);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, lo01, lo23)), d4, at + kPanel);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, hi01, hi23)), d4, at + 2 * kPanel);
    hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, hi01, hi23)), d4, at + 3 * kPanel);
  }
#endif
  return c;
}

// Panels of k^T: for each channel 16 tokens.
void PackTransposed(const float* k, size_t stride, size_t tokens, size_t size, float* packed) {
  size_t t = 0;
  for (; t + 4 <= tokens; t += 4) {
    const float* from = k + t * stride;
    float* to = packed + t / kPanel * size * kPanel + t % kPanel;
    for (size_t c = TransposeFour(from, stride, size, to); c < size; ++c)
      for (size_t i = 0; i < 4; ++i) to[c * kPanel + i] = from[i * stride + c];
  }
  for (; t < panels(tokens) * kPanel; ++t) {
    float* to = packed + t / kPanel * size * kPanel + t % kPanel;
    for (size_t c = 0; c < size; ++c) to[c * kPanel] = t < tokens ? k[t * stride + c] : 0.0f;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(SoftmaxRows);
HWY_EXPORT(PackTransposed);

void softmax(const Softmax& args) noexcept { HWY_DYNAMIC_DISPATCH(SoftmaxRows)(args); }

namespace {

// Rows of q handled at a time, so that their scores stay in the level 2 cache for long sequences.
constexpr size_t kQueryRows = 48;

// Panels of v, which is [tokens, head_size] already.
void pack_value(const AttendHead& a, float* packed) noexcept {
  for (size_t p = 0; p < panels(a.head_size); ++p) {
    const size_t columns = std::min(kPanel, a.head_size - p * kPanel);
    for (size_t t = 0; t < a.tokens; ++t) {
      float* to = packed + (p * a.tokens + t) * kPanel;
      std::memcpy(to, a.v + t * a.qkv_stride + p * kPanel, columns * sizeof(float));
      std::fill(to + columns, to + kPanel, 0.0f);
    }
  }
}

// The parts of `scratch`.
struct Packed {
  explicit Packed(const AttendHead& a)
      : keys(a.scratch),
        values(keys + packed_size(a.head_size, a.tokens)),
        scores(values + packed_size(a.tokens, a.head_size)),
        qk_scale(scores + std::min(a.tokens, kQueryRows) * score_stride(a.tokens)),
        out_scale(qk_scale + score_stride(a.tokens)) {}
  float *keys, *values, *scores, *qk_scale, *out_scale;
};

void pack_keys(const AttendHead& a, const Packed& packed) noexcept {
  std::fill(packed.qk_scale, packed.qk_scale + score_stride(a.tokens), a.qk_scale);
  HWY_DYNAMIC_DISPATCH(PackTransposed)(a.k, a.qkv_stride, a.tokens, a.head_size, packed.keys);
}

void pack_values(const AttendHead& a, const Packed& packed) noexcept {
  std::fill(packed.out_scale, packed.out_scale + panels(a.head_size) * kPanel, a.out_scale);
  pack_value(a, packed.values);
}

void score_rows(const AttendHead& a, const Packed& packed, size_t from, size_t rows,
                float* scores) noexcept {
  const size_t stride = score_stride(a.tokens);
  gemm_f32({.a = a.q + from * a.qkv_stride,
            .lda = a.qkv_stride,
            .b = packed.keys,
            .panel_stride = a.head_size * kPanel,
            .c = scores,
            .ldc = stride,
            .scale = a.qk_scale == 1.0f ? nullptr : packed.qk_scale,
            .bias = nullptr,
            .m = rows,
            .n = stride,
            .k = a.head_size});
}

void value_rows(const AttendHead& a, const Packed& packed, size_t from, size_t rows,
                const float* probabilities) noexcept {
  gemm_f32({.a = probabilities,
            .lda = score_stride(a.tokens),
            .b = packed.values,
            .panel_stride = a.tokens * kPanel,
            .c = a.out + from * a.out_stride,
            .ldc = a.out_stride,
            .scale = a.out_scale == 1.0f ? nullptr : packed.out_scale,
            .bias = nullptr,
            .m = rows,
            .n = a.head_size,
            .k = a.tokens});
}

}  // namespace

size_t attend_scratch(size_t tokens, size_t head_size) noexcept {
  const size_t rows = std::min(tokens, kQueryRows);
  return packed_size(head_size, tokens) + packed_size(tokens, head_size) +
         (rows + 1) * panels(tokens) * kPanel + panels(head_size) * kPanel;
}

size_t score_stride(size_t tokens) noexcept { return panels(tokens) * kPanel; }

RoundingCount attend_head(const AttendHead& a) noexcept {
  const Packed packed(a);
  const size_t stride = score_stride(a.tokens);
  RoundingCount count;
  pack_keys(a, packed);
  pack_values(a, packed);
  for (size_t from = 0; from < a.tokens; from += kQueryRows) {
    const size_t rows = std::min(kQueryRows, a.tokens - from);
    float* scores = packed.scores;
    score_rows(a, packed, from, rows, scores);
    softmax({scores, stride, rows, a.tokens, a.score_scale});
    if (a.p_format)
      count +=
          quantize_to_f32({*a.p_format, a.p_scale, scores, stride, scores, stride, rows, a.tokens});
    value_rows(a, packed, from, rows, scores);
  }
  return count;
}

void attend_scores(const AttendHead& a, float* scores) noexcept {
  const Packed packed(a);
  pack_keys(a, packed);
  score_rows(a, packed, 0, a.tokens, scores);
}

void attend_values(const AttendHead& a, const float* probabilities) noexcept {
  const Packed packed(a);
  pack_values(a, packed);
  value_rows(a, packed, 0, a.tokens, probabilities);
}

}  // namespace fp8q::cpu
#endif  // HWY_ONCE
