#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "kernel_testing.h"
#include "kernels/cpu/codec.h"
#include "kernels/cpu/softmax.h"
#include "kernels/cpu/tiles.h"

namespace fp8q::cpu {
namespace {

struct Case {
  size_t tokens, size;
  std::optional<Format> p_format;
  AttentionForm form = AttentionForm::f32;
};

constexpr float kProbabilityScale = 1.0f / 448;
constexpr float kQkScale = 0.7f, kScoreScale = 0.3f, kOutScale = 0.6f;

// Holds q, k and v side by side as a form takes them. `values` has [tokens, 3 size].
class Operands {
 public:
  Operands(const Case& c, const std::vector<float>& values) : size_(c.size) {
    if (c.form == AttentionForm::int8_tiles) {
      codes_.assign(values.begin(), values.end());
      all_ = codes_.data();
      bytes_ = 1;
    } else if (c.form == AttentionForm::bf16_tiles) {
      halves_.resize(values.size());
      round_to_bf16(values.data(), values.size(), halves_.data());
      all_ = halves_.data();
      bytes_ = 2;
    } else {
      floats_ = values;
      all_ = floats_.data();
      bytes_ = 4;
    }
  }
  const void* at(size_t operand) const {
    return static_cast<const std::byte*>(all_) + operand * size_ * bytes_;
  }
  size_t stride() const { return 3 * size_; }

 private:
  size_t size_, bytes_;
  std::vector<int8_t> codes_;
  std::vector<uint16_t> halves_;
  std::vector<float> floats_;
  const void* all_;
};

// Is memory that is aligned to cache lines and notices when it is exceeded.
class Guarded {
 public:
  explicit Guarded(size_t n) : n_(n), all_(n + 2 * kLine, kMark) {
    const size_t over = reinterpret_cast<uintptr_t>(all_.data()) / sizeof(float) % kLine;
    from_ = all_.data() + (kLine - over) % kLine;
  }
  ~Guarded() {
    EXPECT_EQ(std::count(from_ + n_, all_.data() + all_.size(), kMark),
              all_.data() + all_.size() - (from_ + n_));
  }
  float* data() { return from_; }

 private:
  static constexpr size_t kLine = 16;
  static constexpr float kMark = 12345.0f;
  size_t n_;
  std::vector<float> all_;
  float* from_;
};

constexpr size_t kGap = 3;  // floats between the rows of `out`

struct Result {
  std::vector<float> out;  // [tokens, size + kGap]
  std::vector<float> scores, probabilities;
  RoundingCount count;
  const float* row(const Case& c, size_t i) const { return &out[i * (c.size + kGap)]; }
};

AttendHead head_of(const Case& c, const Operands& qkv, std::vector<float>& out, Guarded& scratch) {
  return {.form = c.form,
          .q = qkv.at(0),
          .k = qkv.at(1),
          .v = qkv.at(2),
          .qkv_stride = qkv.stride(),
          .tokens = c.tokens,
          .head_size = c.size,
          .qk_scale = kQkScale,
          .score_scale = kScoreScale,
          .p_format = c.p_format,
          .p_scale = kProbabilityScale,
          .out_scale = kOutScale,
          .out = out.data(),
          .out_stride = c.size + kGap,
          .scratch = scratch.data()};
}

std::vector<float> without_padding(const Case& c, const std::vector<float>& matrix) {
  std::vector<float> dense;
  for (size_t i = 0; i < c.tokens; ++i) {
    const auto row = matrix.begin() + static_cast<ptrdiff_t>(i * score_stride(c.tokens));
    dense.insert(dense.end(), row, row + static_cast<ptrdiff_t>(c.tokens));
  }
  return dense;
}

// Computes attention at once and in steps, which must give the same. The steps show the scores and
// the probabilities.
Result attend(const Case& c, const std::vector<float>& values) {
  constexpr float kMark = -54321.0f;
  const Operands qkv(c, values);
  Guarded scratch(attend_scratch(c.form, c.tokens, c.size));
  Result r;
  r.out.assign(c.tokens * (c.size + kGap), kMark);
  r.count = attend_head(head_of(c, qkv, r.out, scratch));
  for (size_t i = 0; i < r.out.size(); ++i)
    EXPECT_EQ(r.out[i] == kMark, i % (c.size + kGap) >= c.size) << i;

  std::vector<float> again(r.out.size(), kMark);
  const AttendHead head = head_of(c, qkv, again, scratch);
  const size_t n = c.tokens, stride = score_stride(n);
  std::vector<float> matrix(n * stride, NAN);
  attend_scores(head, matrix.data());
  r.scores = without_padding(c, matrix);
  softmax({matrix.data(), stride, n, n, kScoreScale});
  r.probabilities = without_padding(c, matrix);
  RoundingCount in_steps;
  if (c.p_format)
    in_steps = quantize_to_f32(
        {*c.p_format, kProbabilityScale, matrix.data(), stride, matrix.data(), stride, n, n});
  attend_values(head, matrix.data());
  EXPECT_EQ(again, r.out);
  EXPECT_EQ(in_steps.saturated, r.count.saturated);
  EXPECT_EQ(in_steps.underflowed, r.count.underflowed);
  return r;
}

// Returns random values of codes.
std::vector<float> random_codes(Format format, size_t n, unsigned seed) {
  auto x = random_floats(n, seed);
  quantize_to_f32({format, 0.05f, x.data(), 1, x.data(), 1, 1, n});
  return x;
}

std::vector<double> naive_scores(const Case& c, const std::vector<float>& qkv, size_t row) {
  std::vector<double> p(c.tokens);
  double largest = -1e300, total = 0;
  for (size_t j = 0; j < c.tokens; ++j) {
    for (size_t d = 0; d < c.size; ++d)
      p[j] += double{qkv[row * 3 * c.size + d]} * qkv[j * 3 * c.size + c.size + d];
    p[j] *= double{kQkScale} * kScoreScale;
    largest = std::max(largest, p[j]);
  }
  for (double& v : p) total += v = std::exp(v - largest);
  for (double& v : p) v /= total;
  return p;
}

// Returns the most that a sum of k products may differ from the exact one, as a part of the sum of
// their magnitudes.
double bound(AttentionForm form, size_t k) {
  const size_t steps = tile_steps(TileType::bf16, k);
  return std::ldexp(static_cast<double>(form == AttentionForm::bf16_tiles ? 18 + steps : k), -24);
}

// Checks row i of the values that attend() gives. The probabilities are the engine's own, so that
// codes agree.
void check_values(const Case& c, const std::vector<float>& qkv, const Result& got, size_t i) {
  for (size_t d = 0; d < c.size; ++d) {
    double sum = 0, magnitude = 0;
    for (size_t j = 0; j < c.tokens; ++j) {
      const float own = got.probabilities[i * c.tokens + j];
      const double used =
          c.p_format ? decode(*c.p_format, encode(*c.p_format, own, kProbabilityScale)) : own;
      sum += used * qkv[j * 3 * c.size + 2 * c.size + d];
      magnitude += std::abs(used * qkv[j * 3 * c.size + 2 * c.size + d]);
    }
    const double roundings = bound(c.form, c.tokens) + std::ldexp(2, -24);
    ASSERT_NEAR(got.row(c, i)[d], sum * kOutScale, roundings * magnitude + 1e-9);
  }
}

void check_row(const Case& c, const std::vector<float>& qkv, const Result& got, size_t i) {
  const auto p = naive_scores(c, qkv, i);
  for (size_t j = 0; j < c.tokens; ++j)
    ASSERT_NEAR(got.probabilities[i * c.tokens + j], p[j], 1e-5);
  check_values(c, qkv, got, i);
}

TEST(AttendHead, MatchesTheDefinition) {
  for_each_isa([](Isa) {
    for (const size_t tokens : {1, 2, 7, 16, 25, 49, 100, 200})
      for (const size_t size : {4, 8, 31, 32, 64})
        for (const auto& format :
             {std::optional<Format>(), std::optional(Format::e4m3), std::optional(Format::int8)}) {
          const Case c{tokens, size, format};
          const auto qkv = random_floats(tokens * 3 * size, 21);
          const Result got = attend(c, qkv);
          for (size_t i = 0; i < tokens && !testing::Test::HasFatalFailure(); ++i)
            check_row(c, qkv, got, i);
        }
  });
}

constexpr size_t kManyTokens[] = {1, 2, 7, 15, 16, 17, 31, 32, 33, 49, 100, 201};
constexpr size_t kManySizes[] = {4, 15, 32, 33, 64, 100};

// Checks that a form gives the bits of the FP32 form.
void expect_bits_of_f32(Format format, AttentionForm form) {
  for (const size_t tokens : kManyTokens)
    for (const size_t size : kManySizes) {
      const auto qkv = random_codes(format, tokens * 3 * size, 23);
      for_each_isa([&](Isa isa) {
        if (isa == Isa::scalar && !info(format).integer) return;  // it has no fma
        SCOPED_TRACE(testing::Message() << info(format).name << " " << tokens << " x " << size);
        const Result expected = attend({tokens, size, format}, qkv);
        const Result got = attend({tokens, size, format, form}, qkv);
        EXPECT_EQ(got.scores, expected.scores);
        EXPECT_EQ(got.out, expected.out);
        EXPECT_EQ(got.count.saturated, expected.count.saturated);
        EXPECT_EQ(got.count.underflowed, expected.count.underflowed);
      });
    }
}

TEST(AttendHead, DotProductsOfBf16GiveTheSameBits) {
  for (const Format format : kEveryFormat) expect_bits_of_f32(format, AttentionForm::bf16_dots);
}

TEST(AttendHead, TilesOfInt8GiveTheSameBits) {
  expect_bits_of_f32(Format::int8, AttentionForm::int8_tiles);
}

// 1024 products of the largest codes are the largest sums that FP32 has.
TEST(AttendHead, TilesOfInt8GiveTheSameBitsForTheLargestSums) {
  constexpr size_t kTokens = 3, kSize = 1024;
  const std::vector<float> qkv(kTokens * 3 * kSize, -128.0f);
  const Case c{kTokens, kSize, Format::int8, AttentionForm::int8_tiles};
  const Result got = attend(c, qkv), expected = attend({kTokens, kSize, Format::int8}, qkv);
  EXPECT_EQ(got.scores, expected.scores);
  EXPECT_EQ(got.scores[0], 0x1p24f * kQkScale);
  EXPECT_EQ(got.out, expected.out);
}

// Codes of any two formats may meet.
TEST(AttendHead, TilesOfBf16KeepToTheirBound) {
  for (const Format format : kEveryFormat)
    for (const size_t tokens : kManyTokens)
      for (const size_t size : kManySizes) {
        SCOPED_TRACE(testing::Message() << info(format).name << " " << tokens << " x " << size);
        const auto qkv = random_codes(format, tokens * 3 * size, 24);
        const Case c{tokens, size, Format::e4m3, AttentionForm::bf16_tiles};
        const Result got = attend(c, qkv);
        for (size_t i = 0; i < tokens && !testing::Test::HasFatalFailure(); ++i) {
          check_values(c, qkv, got, i);
          for (size_t j = 0; j < tokens; ++j) {
            double sum = 0, magnitude = 0;
            for (size_t d = 0; d < size; ++d) {
              const double product = double{qkv[i * 3 * size + d]} * qkv[j * 3 * size + size + d];
              sum += product;
              magnitude += std::abs(product);
            }
            const double roundings = bound(c.form, size) + std::ldexp(1, -24);
            ASSERT_NEAR(got.scores[i * tokens + j], sum * kQkScale, roundings * magnitude);
          }
        }
      }
}

TEST(AttendHead, IsTheSameOnAllIsasWithFma) {
  for (const AttentionForm form : {AttentionForm::f32, AttentionForm::bf16_tiles}) {
    const Case c{53, 32, Format::e4m3, form};
    const auto qkv = random_codes(Format::e4m3, c.tokens * 3 * c.size, 22);
    std::vector<float> first;
    for_each_isa([&](Isa isa) {
      if (isa == Isa::scalar) return;
      const auto out = attend(c, qkv).out;
      if (first.empty()) first = out;
      EXPECT_EQ(out, first);
    });
  }
}

}  // namespace
}  // namespace fp8q::cpu
