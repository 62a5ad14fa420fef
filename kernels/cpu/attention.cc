#include "kernels/cpu/attention.h"

#include <algorithm>

#include "kernels/cpu/attention_pack.h"
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

static_assert(kPanel % kLanes == 0);

// One step after another is taken for this many rows. What takes long at the end of a row, its
// largest value and its sum, then overlaps with other rows.
constexpr size_t kRowsTogether = 8;
constexpr size_t kSumVectors = kPartialSums / kLanes;

// Scales a row and returns its largest value. Rows are padded to whole vectors.
HWY_INLINE float scale_row(float* x, size_t n, VF scale) {
  const DF d;
  const VF lowest = hn::Set(d, -hwy::HighestValue<float>());
  VF best = lowest;
  const auto scaled = [&](size_t i) HWY_ATTR {
    const VF v = hn::Mul(hn::LoadU(d, x + i), scale);
    hn::StoreU(v, d, x + i);
    return v;
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) best = hn::Max(best, scaled(i));
  if (i < n) best = hn::Max(best, hn::IfThenElse(hn::FirstN(d, n - i), scaled(i), lowest));
  return hn::GetLane(hn::MaxOfLanes(d, best));
}

// Makes x exp(x - largest) and returns the sum. Lanes beyond n become 0.
HWY_INLINE float exponentials(float* x, size_t n, VF largest) {
  const DF d;
  VF sum[kSumVectors];
  for (VF& s : sum) s = hn::Zero(d);
  const auto one = [&](size_t i, size_t v) HWY_ATTR {
    VF e = exp32(hn::Sub(hn::LoadU(d, x + i), largest));
    if (i + kLanes > n) e = hn::IfThenElseZero(hn::FirstN(d, n > i ? n - i : 0), e);
    hn::StoreU(e, d, x + i);
    sum[v] = hn::Add(sum[v], e);
  };
  size_t i = 0;
  for (; i + kPartialSums <= n; i += kPartialSums)
#pragma GCC unroll 32
    for (size_t v = 0; v < kSumVectors; ++v) one(i + v * kLanes, v);
  const size_t padded = panels(n) * kPanel;
#pragma GCC unroll 32
  for (size_t v = 0; v < kSumVectors; ++v)
    if (i + v * kLanes < padded) one(i + v * kLanes, v);
  return tree_sum(d, sum);
}

HWY_INLINE void divide_row(float* x, size_t n, float total) {
  const DF d;
  const VF all = hn::Set(d, total), inverse = hn::Set(d, 1.0f / total);
  for (size_t i = 0; i < n; i += kLanes)
    hn::StoreU(divided(hn::LoadU(d, x + i), all, inverse), d, x + i);
}

void softmax(const Softmax& s) {
  const DF d;
  const VF scale = hn::Set(d, s.scale);
  for (size_t from = 0; from < s.rows; from += kRowsTogether) {
    const size_t rows = std::min(kRowsTogether, s.rows - from);
    float* x = s.x + from * s.stride;
    float largest[kRowsTogether], total[kRowsTogether];
    for (size_t r = 0; r < rows; ++r) largest[r] = scale_row(x + r * s.stride, s.columns, scale);
    for (size_t r = 0; r < rows; ++r)
      total[r] = exponentials(x + r * s.stride, s.columns, hn::Set(d, largest[r]));
    for (size_t r = 0; r < rows; ++r) divide_row(x + r * s.stride, s.columns, total[r]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace fp8q::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fp8q::cpu {
HWY_EXPORT(softmax);

void softmax(const Softmax& args) noexcept { HWY_DYNAMIC_DISPATCH(softmax)(args); }

size_t score_stride(size_t tokens) noexcept { return panels(tokens) * kPanel; }

namespace {

// This many rows of q are handled at a time, so that their scores stay in the level 2 cache for
// long sequences.
constexpr size_t kQueryRows = 48;

// Contains what both forms of the products share. They take their memory from AttendHead::scratch.
class Products {
 public:
  explicit Products(const AttendHead& a) : a_(a), next_(a.scratch) {
    qk_scale_ = take(score_stride(a.tokens));
    out_scale_ = take(panels(a.head_size) * kPanel);
    std::fill_n(qk_scale_, score_stride(a.tokens), a.qk_scale);
    std::fill_n(out_scale_, panels(a.head_size) * kPanel, a.out_scale);
  }
  static size_t scratch(size_t tokens, size_t size) {
    return score_stride(tokens) + panels(size) * kPanel;
  }
  float* memory_of_scores() const { return next_; }  // the memory after all parts

 protected:
  // Sizes must be multiples of 16 floats, so that all parts are aligned.
  float* take(size_t floats) {
    float* part = next_;
    next_ += floats;
    return part;
  }
  HeadRows keys() const { return {a_.k, a_.qkv_stride, a_.tokens, a_.head_size}; }
  HeadRows values() const { return {a_.v, a_.qkv_stride, a_.tokens, a_.head_size}; }

  // Describes scores = q k^T for `rows` rows.
  template <typename T>
  Gemm<T, T> score_product(const T* q, size_t stride, const T* keys, size_t depth, size_t rows,
                           float* scores) const {
    return {.a = q,
            .lda = stride,
            .b = keys,
            .panel_stride = depth * kPanel,
            .c = scores,
            .ldc = score_stride(a_.tokens),
            .scale = a_.qk_scale == 1.0f ? nullptr : qk_scale_,
            .bias = nullptr,
            .m = rows,
            .n = score_stride(a_.tokens),
            .k = a_.head_size};
  }
  // Describes the rows of out = p v that begin at row `from`.
  template <typename T>
  Gemm<T, T> value_product(const T* p, size_t stride, const T* values, size_t depth, size_t from,
                           size_t rows) const {
    return {.a = p,
            .lda = stride,
            .b = values,
            .panel_stride = depth * kPanel,
            .c = a_.out + from * a_.out_stride,
            .ldc = a_.out_stride,
            .scale = a_.out_scale == 1.0f ? nullptr : out_scale_,
            .bias = nullptr,
            .m = rows,
            .n = a_.head_size,
            .k = a_.tokens};
  }

  const AttendHead& a_;

 private:
  float* next_;
  float *qk_scale_, *out_scale_;
};

class FloatProducts : public Products {
 public:
  explicit FloatProducts(const AttendHead& a)
      : Products(a),
        keys_(take(packed_size(a.head_size, a.tokens))),
        values_(take(packed_size(a.tokens, a.head_size))) {}
  static size_t scratch(size_t tokens, size_t size) {
    return Products::scratch(tokens, size) + packed_size(size, tokens) + packed_size(tokens, size);
  }

  void prepare_scores() const { pack_keys(keys(), keys_); }
  void prepare_values() const { pack_values(values(), values_); }
  void score(size_t from, size_t rows, float* scores) const {
    gemm_f32(score_product<float>(a_.q + from * a_.qkv_stride, a_.qkv_stride, keys_, a_.head_size,
                                  rows, scores));
  }
  // Returns the probabilities as multiply() takes them.
  const float* quantize(size_t rows, float* p, RoundingCount& count) const {
    const size_t stride = score_stride(a_.tokens);
    if (a_.p_format)
      count += quantize_to_f32({*a_.p_format, a_.p_scale, p, stride, p, stride, rows, a_.tokens});
    return p;
  }
  void multiply(size_t from, size_t rows, const float* p) const {
    gemm_f32(value_product<float>(p, score_stride(a_.tokens), values_, a_.tokens, from, rows));
  }

 private:
  float *keys_, *values_;
};

// Holds all operands as pairs of BF16.
class Bf16Products : public Products {
 public:
  explicit Bf16Products(const AttendHead& a)
      : Products(a),
        rows_(take_halves(row_halves(a.tokens, a.head_size))),
        keys_(take_halves(packed_size(paired(a.head_size), a.tokens))),
        values_(take_halves(packed_size(paired(a.tokens), a.head_size))),
        p_(take_halves(p_halves(a.tokens))) {}
  static size_t scratch(size_t tokens, size_t size) {
    return Products::scratch(tokens, size) +
           (row_halves(tokens, size) + packed_size(paired(size), tokens) +
            packed_size(paired(tokens), size) + p_halves(tokens)) /
               2;
  }

  void prepare_scores() const {
    pair_rows(keys(), rows_);
    pack_key_pairs(rows_, a_.tokens, a_.head_size, keys_);
    pair_rows({a_.q, a_.qkv_stride, a_.tokens, a_.head_size}, rows_);
  }
  void prepare_values() const { pack_value_pairs(values(), values_); }
  void score(size_t from, size_t rows, float* scores) const {
    const size_t depth = paired(a_.head_size);
    gemm_bf16(score_product<uint16_t>(rows_ + from * depth, depth, keys_, depth, rows, scores));
  }
  const uint16_t* quantize(size_t rows, const float* p, RoundingCount& count) const {
    const size_t stride = score_stride(a_.tokens);
    count +=
        quantize_to_bf16_pairs({*a_.p_format, a_.p_scale, p, stride, p_, stride, rows, a_.tokens});
    return p_;
  }
  void multiply(size_t from, size_t rows, const uint16_t* p) const {
    gemm_bf16(value_product<uint16_t>(p, score_stride(a_.tokens), values_, paired(a_.tokens), from,
                                      rows));
  }

 private:
  uint16_t* take_halves(size_t n) { return reinterpret_cast<uint16_t*>(take(n / 2)); }
  // Sizes are rounded up to whole cache lines.
  static size_t row_halves(size_t tokens, size_t size) {
    return (tokens * paired(size) + 31) / 32 * 32;
  }
  static size_t p_halves(size_t tokens) {
    return (std::min(tokens, kQueryRows) * score_stride(tokens) + 31) / 32 * 32;
  }
  uint16_t *rows_, *keys_, *values_, *p_;
};

template <class Form>
RoundingCount attend(const AttendHead& a) noexcept {
  const Form products(a);
  float* scores = products.memory_of_scores();
  RoundingCount count;
  products.prepare_scores();
  products.prepare_values();
  for (size_t from = 0; from < a.tokens; from += kQueryRows) {
    const size_t rows = std::min(kQueryRows, a.tokens - from);
    products.score(from, rows, scores);
    softmax({scores, score_stride(a.tokens), rows, a.tokens, a.score_scale});
    const auto* p = products.quantize(rows, scores, count);
    products.multiply(from, rows, p);
  }
  return count;
}

}  // namespace

size_t attend_scratch(size_t tokens, size_t head_size) noexcept {
  return std::max(FloatProducts::scratch(tokens, head_size),
                  Bf16Products::scratch(tokens, head_size)) +
         std::min(tokens, kQueryRows) * score_stride(tokens);
}

RoundingCount attend_head(const AttendHead& a) noexcept {
  return a.bf16 && a.p_format ? attend<Bf16Products>(a) : attend<FloatProducts>(a);
}

void attend_scores(const AttendHead& a, float* scores) noexcept {
  const FloatProducts products(a);
  products.prepare_scores();
  products.score(0, a.tokens, scores);
}

void attend_values(const AttendHead& a, const float* probabilities) noexcept {
  const FloatProducts products(a);
  products.prepare_values();
  products.multiply(0, a.tokens, probabilities);
}

}  // namespace fp8q::cpu
#endif  // HWY_ONCE
