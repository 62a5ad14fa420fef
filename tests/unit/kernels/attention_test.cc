#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cmath>

#include "kernel_testing.h"
#include "kernels/cpu/codec.h"

namespace fp8q::cpu {
namespace {

struct Case {
  size_t tokens, size;
  std::optional<Format> p_format;
};

constexpr float kProbabilityScale = 1.0f / 448;
constexpr float kQkScale = 0.7f, kScoreScale = 0.3f, kOutScale = 0.6f;

struct Result {
  std::vector<float> out, probabilities;
};

AttendHead head_of(const Case& c, const std::vector<float>& qkv, std::vector<float>& out,
                   std::vector<float>& scratch) {
  return {.q = qkv.data(),
          .k = qkv.data() + c.size,
          .v = qkv.data() + 2 * c.size,
          .qkv_stride = 3 * c.size,
          .tokens = c.tokens,
          .head_size = c.size,
          .qk_scale = kQkScale,
          .score_scale = kScoreScale,
          .p_format = c.p_format,
          .p_scale = kProbabilityScale,
          .bf16 = false,
          .out_scale = kOutScale,
          .out = out.data(),
          .out_stride = c.size,
          .scratch = scratch.data()};
}

// Computes attention at once and in steps, which must give the same. The steps show the
// probabilities.
Result attend(const Case& c, const std::vector<float>& qkv) {
  Result r{std::vector<float>(c.tokens * c.size, NAN), {}};
  std::vector<float> scratch(attend_scratch(c.tokens, c.size));
  const RoundingCount count = attend_head(head_of(c, qkv, r.out, scratch));

  std::vector<float> again(r.out.size(), NAN);
  const AttendHead head = head_of(c, qkv, again, scratch);
  const size_t n = c.tokens, stride = score_stride(n);
  std::vector<float> matrix(n * stride, NAN);
  attend_scores(head, matrix.data());
  softmax({matrix.data(), stride, n, n, kScoreScale});
  for (size_t i = 0; i < n; ++i)
    r.probabilities.insert(r.probabilities.end(),
                           matrix.begin() + static_cast<ptrdiff_t>(i * stride),
                           matrix.begin() + static_cast<ptrdiff_t>(i * stride + n));
  RoundingCount in_steps;
  if (c.p_format)
    in_steps = quantize_to_f32(
        {*c.p_format, kProbabilityScale, matrix.data(), stride, matrix.data(), stride, n, n});
  attend_values(head, matrix.data());
  EXPECT_EQ(again, r.out);
  EXPECT_EQ(in_steps.saturated, count.saturated);
  EXPECT_EQ(in_steps.underflowed, count.underflowed);
  return r;
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

// Checks row i of the result of attend().
void check_row(const Case& c, const std::vector<float>& qkv, const Result& got, size_t i) {
  const auto p = naive_scores(c, qkv, i);
  for (size_t j = 0; j < c.tokens; ++j)
    ASSERT_NEAR(got.probabilities[i * c.tokens + j], p[j], 1e-5);
  for (size_t d = 0; d < c.size; ++d) {
    double sum = 0, magnitude = 0;
    for (size_t j = 0; j < c.tokens; ++j) {
      // The probabilities are the engine's own, so that codes agree.
      const float own = got.probabilities[i * c.tokens + j];
      const double used =
          c.p_format ? decode(*c.p_format, encode(*c.p_format, own, kProbabilityScale)) : own;
      sum += used * qkv[j * 3 * c.size + 2 * c.size + d];
      magnitude += std::abs(used * qkv[j * 3 * c.size + 2 * c.size + d]);
    }
    ASSERT_NEAR(got.out[i * c.size + d], sum * kOutScale,
                static_cast<double>(c.tokens + 2) * std::ldexp(magnitude, -24) + 1e-9);
  }
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

TEST(AttendHead, ProductsOfBf16GiveTheSameBits) {
  for (const Format format : kEveryFormat)
    for (const size_t tokens : {1, 2, 7, 16, 25, 49, 100, 201})
      for (const size_t size : {4, 15, 32, 33, 64}) {
        const Case c{tokens, size, format};
        auto qkv = random_floats(tokens * 3 * size, 23);
        quantize_to_f32({format, 0.05f, qkv.data(), 1, qkv.data(), 1, 1, qkv.size()});
        for_each_isa([&](Isa isa) {
          if (isa == Isa::scalar) return;
          SCOPED_TRACE(testing::Message() << info(format).name << " " << tokens << " x " << size);
          std::vector<float> scratch(attend_scratch(tokens, size)), of_bf16(tokens * size, NAN);
          AttendHead head = head_of(c, qkv, of_bf16, scratch);
          head.bf16 = true;
          const RoundingCount count = attend_head(head);
          std::vector<float> of_f32(of_bf16.size(), NAN);
          const RoundingCount expected = attend_head(head_of(c, qkv, of_f32, scratch));
          EXPECT_EQ(of_bf16, of_f32);
          EXPECT_EQ(count.saturated, expected.saturated);
          EXPECT_EQ(count.underflowed, expected.underflowed);
        });
      }
}

TEST(AttendHead, IsTheSameOnAllIsasWithFma) {
  const Case c{53, 32, Format::e4m3};
  const auto qkv = random_floats(c.tokens * 3 * c.size, 22);
  std::vector<float> first;
  for_each_isa([&](Isa isa) {
    if (isa == Isa::scalar) return;
    const auto out = attend(c, qkv).out;
    if (first.empty()) first = out;
    EXPECT_EQ(out, first);
  });
}

}  // namespace
}  // namespace fp8q::cpu
