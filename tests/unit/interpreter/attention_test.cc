// Tests the operators Attention, RMSNormalization and RotaryEmbedding of opset 23, which the
// archive of node tests has in expanded form only.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "fp8q/error.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using Attributes = std::map<std::string, Attribute>;
using Matrix = std::vector<std::vector<double>>;
constexpr double kNever = -std::numeric_limits<double>::infinity();

Tensor random_of(const Shape& shape, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Tensor tensor(DType::f32, shape);
  for (float& x : tensor.mutable_data<float>()) x = normal(random);
  return tensor;
}

// Runs one Attention node. An input without elements is omitted.
std::vector<Tensor> run_attention(const std::vector<Tensor>& inputs, size_t outputs,
                                  const Attributes& attributes = {}, int64_t opset = 24) {
  std::vector<std::string> names, results;
  std::map<std::string, Tensor> constants;
  for (size_t i = 0; i < inputs.size(); ++i) {
    names.push_back(inputs[i].size() == 0 ? "" : fmt::format("x{}", i));
    if (!names.back().empty()) constants[names.back()] = inputs[i];
  }
  for (size_t i = 0; i < outputs; ++i) results.push_back(fmt::format("y{}", i));
  const Model m =
      model(opset, {}, {node("Attention", names, results, attributes)}, results, constants);
  const auto made = Interpreter(m).run({});
  std::vector<Tensor> tensors;
  for (const auto& name : results) tensors.push_back(made.at(name));
  return tensors;
}

// Returns matrix (b, h) of a tensor [batch, heads, rows, columns].
Matrix matrix_of(const Tensor& tensor, int64_t b, int64_t h) {
  const auto rows = static_cast<size_t>(tensor.dim(2)),
             columns = static_cast<size_t>(tensor.dim(3));
  const auto start = static_cast<size_t>(b * tensor.dim(1) + h) * rows * columns;
  Matrix m(rows, std::vector<double>(columns));
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) m[r][c] = tensor.data<float>()[start + r * columns + c];
  return m;
}

// Computes q k^T * scale, the scores of one head.
Matrix scores_of(const Matrix& q, const Matrix& k, double scale) {
  Matrix s(q.size(), std::vector<double>(k.size()));
  for (size_t i = 0; i < q.size(); ++i)
    for (size_t j = 0; j < k.size(); ++j) {
      for (size_t d = 0; d < q[i].size(); ++d) s[i][j] += q[i][d] * k[j][d];
      s[i][j] *= scale;
    }
  return s;
}

Matrix probabilities_of(Matrix s) {
  for (auto& row : s) {
    double sum = 0;
    for (double& x : row) sum += x = std::exp(x);
    for (double& x : row) x /= sum;
  }
  return s;
}

Matrix context_of(const Matrix& p, const Matrix& v) {
  Matrix y(p.size(), std::vector<double>(v[0].size()));
  for (size_t i = 0; i < p.size(); ++i)
    for (size_t j = 0; j < v.size(); ++j)
      for (size_t d = 0; d < v[j].size(); ++d) y[i][d] += p[i][j] * v[j][d];
  return y;
}

void expect_equal(const Matrix& actual, const Matrix& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    for (size_t j = 0; j < actual[i].size(); ++j) {
      if (std::isinf(expected[i][j])) EXPECT_EQ(actual[i][j], expected[i][j]);
      else EXPECT_NEAR(actual[i][j], expected[i][j], 2e-6) << i << ", " << j;
    }
}

constexpr double kScale = 0.5;  // 1 / sqrt(4)

// These tensors have 2 sequences, 4 heads of queries, 3 queries, 5 keys, heads of 4 and values
// of 6.
const Tensor kQ = random_of({2, 4, 3, 4}, 1), kK = random_of({2, 4, 5, 4}, 2),
             kV = random_of({2, 4, 5, 6}, 3);
const Tensor kNone = Tensor(DType::f32, {0});

// Compares every head with what `change` makes of its scores before the softmax.
template <typename Change>
void expect_attention(const std::vector<Tensor>& inputs, const Attributes& attributes,
                      Change change, double scale = kScale) {
  const Tensor y = run_attention(inputs, 1, attributes)[0];
  ASSERT_EQ(y.shape(), (Shape{2, 4, 3, 6}));
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 4; ++h) {
      const int64_t kh = h * inputs[1].dim(1) / 4;
      Matrix s = scores_of(matrix_of(inputs[0], b, h), matrix_of(inputs[1], b, kh), scale);
      for (size_t i = 0; i < s.size(); ++i)
        for (size_t j = 0; j < s[i].size(); ++j) s[i][j] = change(s[i][j], b, h, i, j);
      expect_equal(matrix_of(y, b, h),
                   context_of(probabilities_of(s), matrix_of(inputs[2], b, kh)));
    }
}

const auto kUnchanged = [](double s, auto...) { return s; };

TEST(Attention, HasTheScaleOfTheHeadOrItsOwn) {
  expect_attention({kQ, kK, kV}, {}, kUnchanged);
  expect_attention({kQ, kK, kV}, {{"scale", 0.3f}}, kUnchanged, 0.3f);
}

TEST(Attention, SharesHeadsOfKeys) {
  expect_attention({kQ, random_of({2, 2, 5, 4}, 4), random_of({2, 2, 5, 6}, 5)}, {}, kUnchanged);
  expect_attention({kQ, random_of({2, 1, 5, 4}, 4), random_of({2, 1, 5, 6}, 5)}, {}, kUnchanged);
}

TEST(Attention, AddsMasksThatBroadcast) {
  const Tensor two = random_of({3, 5}, 6), four = random_of({2, 1, 1, 5}, 7);
  expect_attention({kQ, kK, kV, two}, {}, [&](double s, int64_t, int64_t, size_t i, size_t j) {
    return s + two.data<float>()[i * 5 + j];
  });
  expect_attention({kQ, kK, kV, four}, {}, [&](double s, int64_t b, int64_t, size_t, size_t j) {
    return s + four.data<float>()[static_cast<size_t>(b) * 5 + j];
  });
  Tensor kept(DType::boolean, {4, 3, 5});
  for (size_t i = 0; i < 60; ++i) kept.mutable_data<bool>()[i] = i % 3 != 1;
  expect_attention({kQ, kK, kV, kept}, {}, [&](double s, int64_t, int64_t h, size_t i, size_t j) {
    return kept.data<bool>()[static_cast<size_t>(h) * 15 + i * 5 + j] ? s : kNever;
  });
}

TEST(Attention, KeysBehindAShortMaskDoNotCount) {
  const Tensor mask = random_of({3, 4}, 8);
  expect_attention({kQ, kK, kV, mask}, {}, [&](double s, int64_t, int64_t, size_t i, size_t j) {
    return j < 4 ? s + mask.data<float>()[i * 4 + j] : kNever;
  });
}

TEST(Attention, CausalAndValidKeys) {
  expect_attention(
      {kQ, kK, kV}, {{"is_causal", int64_t{1}}},
      [](double s, int64_t, int64_t, size_t i, size_t j) { return j <= i ? s : kNever; });
  const Tensor valid = Tensor::of<int64_t>({2}, {5, 2});
  expect_attention(
      {kQ, kK, kV, kNone, kNone, kNone, valid}, {},
      [](double s, int64_t b, int64_t, size_t, size_t j) { return b == 0 || j < 2 ? s : kNever; });
}

TEST(Attention, CapsScoresBeforeTheMask) {
  const Tensor mask = random_of({3, 5}, 6);
  expect_attention({kQ, kK, kV, mask}, {{"softcap", 0.8f}},
                   [&](double s, int64_t, int64_t, size_t i, size_t j) {
                     const double cap = 0.8f;
                     return cap * std::tanh(s / cap) + mask.data<float>()[i * 5 + j];
                   });
}

TEST(Attention, ContinuesAPast) {
  const Tensor past_k = random_of({2, 4, 2, 4}, 9), past_v = random_of({2, 4, 2, 6}, 10);
  const auto made =
      run_attention({kQ, kK, kV, kNone, past_k, past_v}, 3, {{"is_causal", int64_t{1}}}, 23);
  ASSERT_EQ(made[1].shape(), (Shape{2, 4, 7, 4}));
  ASSERT_EQ(made[2].shape(), (Shape{2, 4, 7, 6}));
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 4; ++h) {
      const Matrix k = matrix_of(made[1], b, h), v = matrix_of(made[2], b, h);
      for (size_t r = 0; r < 7; ++r) {
        EXPECT_EQ(k[r], r < 2 ? matrix_of(past_k, b, h)[r] : matrix_of(kK, b, h)[r - 2]);
        EXPECT_EQ(v[r], r < 2 ? matrix_of(past_v, b, h)[r] : matrix_of(kV, b, h)[r - 2]);
      }
      Matrix s = scores_of(matrix_of(kQ, b, h), k, kScale);
      for (size_t i = 0; i < 3; ++i)
        for (size_t j = i + 3; j < 7; ++j) s[i][j] = kNever;
      expect_equal(matrix_of(made[0], b, h), context_of(probabilities_of(s), v));
    }
}

TEST(Attention, ReportsEveryStep) {
  const Tensor mask = random_of({3, 5}, 6);
  for (const int64_t mode : {0, 1, 2, 3}) {
    const Tensor steps = run_attention({kQ, kK, kV, mask}, 4,
                                       {{"softcap", 0.8f}, {"qk_matmul_output_mode", mode}})[3];
    ASSERT_EQ(steps.shape(), (Shape{2, 4, 3, 5}));
    Matrix s = scores_of(matrix_of(kQ, 1, 2), matrix_of(kK, 1, 2), kScale);
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < 5; ++j) {
        if (mode > 0) s[i][j] = 0.8f * std::tanh(s[i][j] / 0.8f);
        if (mode > 1) s[i][j] += mask.data<float>()[i * 5 + j];
      }
    expect_equal(matrix_of(steps, 1, 2), mode == 3 ? probabilities_of(s) : s);
  }
}

TEST(Attention, TakesHeadsSideBySide) {
  // [2, rows, 2 heads x width] holds the same numbers as [2, 2, rows, width], in another order.
  const auto aside = [](const Tensor& t) {
    return run_node(13, "Transpose", {t}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}})
        .reshaped({t.dim(0), t.dim(2), t.dim(1) * t.dim(3)});
  };
  const Attributes heads = {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{4}}};
  const Tensor expected = aside(run_attention({kQ, kK, kV}, 1)[0]);
  const Tensor actual = run_attention({aside(kQ), aside(kK), aside(kV)}, 1, heads)[0];
  EXPECT_EQ(actual.shape(), (Shape{2, 3, 24}));
  EXPECT_TRUE(identical(actual, expected));
}

TEST(Attention, RejectsWhatDoesNotFit) {
  const auto code_of = [](const std::vector<Tensor>& inputs, const Attributes& attributes = {}) {
    try {
      run_attention(inputs, 1, attributes);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  const auto bad = ErrorCode::bad_model;
  EXPECT_EQ(code_of({kQ, random_of({2, 3, 5, 4}, 1), random_of({2, 3, 5, 6}, 1)}), bad);
  EXPECT_EQ(code_of({kQ, kK, random_of({2, 4, 4, 6}, 1)}), bad);
  EXPECT_EQ(code_of({kQ, random_of({2, 4, 5, 3}, 1), kV}), bad);
  EXPECT_EQ(code_of({kQ, kK, kV, random_of({3, 6}, 1)}), bad);
  EXPECT_EQ(code_of({kQ, kK, kV, kNone, random_of({2, 4, 2, 4}, 1)}), bad);
  EXPECT_EQ(code_of({kQ, kK, kV, kNone, kNone, kNone, Tensor::of<int64_t>({1}, {2})}), bad);
  EXPECT_EQ(code_of({kQ, kK, kV}, {{"qk_matmul_output_mode", int64_t{4}}}), bad);
  EXPECT_EQ(code_of({kQ, kK, kV}, {{"softmax_precision", int64_t{1000000}}}), bad);
  const Tensor flat = random_of({2, 3, 12}, 1);
  EXPECT_EQ(code_of({flat, flat, flat}), bad);
  EXPECT_EQ(
      code_of({flat, flat, flat}, {{"q_num_heads", int64_t{5}}, {"kv_num_heads", int64_t{5}}}),
      bad);
}

TEST(RmsNormalization, DividesByTheRootMeanSquare) {
  const Tensor x = floats({2, 2}, {3, 4, 0, 0}), scale = floats({2}, {2, 1});
  const Tensor y = run_node(23, "RMSNormalization", {x, scale}, {{"epsilon", 0.0625f}});
  const float root = std::sqrt(12.5f + 0.0625f);
  EXPECT_THAT(values<float>(y),
              testing::ElementsAre(testing::FloatEq(6 / root), testing::FloatEq(4 / root), 0, 0));
  const Tensor all = run_node(23, "RMSNormalization", {x, floats({1, 1}, {1})},
                              {{"axis", int64_t{0}}, {"epsilon", 0.0f}});
  EXPECT_FLOAT_EQ(all.data<float>()[0], 3 / 2.5f);
}

TEST(RotaryEmbedding, RotatesPairsOfEveryHead) {
  // Two tokens, one head of 6, of which 4 are rotated: by 0 and by 90 degrees.
  const F x = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6};
  const Tensor cosines = floats({2, 2}, {1, 1, 0, 0}), sines = floats({2, 2}, {0, 0, 1, 1});
  const Tensor positions = Tensor::of<int64_t>({1, 2}, {0, 1});
  const auto rotated = [&](const Tensor& given, Attributes attributes) {
    attributes["rotary_embedding_dim"] = int64_t{4};
    return values<float>(
        run_node(23, "RotaryEmbedding", {given, cosines, sines, positions}, attributes));
  };
  const F halves = {1, 2, 3, 4, 5, 6, -3, -4, 1, 2, 5, 6};
  EXPECT_EQ(rotated(floats({1, 1, 2, 6}, x), {}), halves);
  EXPECT_EQ(rotated(floats({1, 2, 6}, x), {{"num_heads", int64_t{1}}}), halves);
  EXPECT_EQ(rotated(floats({1, 1, 2, 6}, x), {{"interleaved", int64_t{1}}}),
            (F{1, 2, 3, 4, 5, 6, -2, 1, -4, 3, 5, 6}));
  const Tensor of_tokens = run_node(23, "RotaryEmbedding",
                                    {floats({1, 1, 2, 4}, {1, 2, 3, 4, 1, 2, 3, 4}),
                                     cosines.reshaped({1, 2, 2}), sines.reshaped({1, 2, 2})});
  EXPECT_EQ(values<float>(of_tokens), (F{1, 2, 3, 4, -3, -4, 1, 2}));
  EXPECT_THROW(rotated(floats({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6}), {}), Error);
}

}  // namespace
}  // namespace fp8q::test
