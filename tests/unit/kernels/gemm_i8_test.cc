#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernel_testing.h"

namespace fp8q::cpu {
namespace {

struct Problem {
  size_t m, n, k;
};

struct Data {
  // a(i) and b(i): the i-th elements.
  Data(const Problem& p, const std::function<int(size_t)>& a_at,
       const std::function<int(size_t)>& b_at)
      : a(p.m * p.k),
        b(p.k * p.n),
        wide_a(p.m * paired(p.k)),
        packed_b(packed_size(paired(p.k), p.n)) {
    for (size_t i = 0; i < a.size(); ++i) a[i] = a_at(i);
    for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(b_at(i));
    for (size_t i = 0; i < a.size(); ++i)
      wide_a[i / p.k * paired(p.k) + i % p.k] = static_cast<int16_t>(a[i]);
    pack_i8({.b = b.data(), .row_stride = p.n, .column_stride = 1, .k = p.k, .n = p.n},
            packed_b.data());
    scale = random_floats(panels(p.n) * kPanel, 3);
    bias = random_floats(panels(p.n) * kPanel, 4);
  }
  std::vector<int> a;
  std::vector<float> b, scale, bias;
  std::vector<int16_t> wide_a;
  std::vector<int8_t> packed_b;
};

// All codes occur, the extremes often.
Data random_data(const Problem& p) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> uniform(-160, 160);
  const auto code = [&](size_t) { return std::clamp(uniform(random), -128, 127); };
  return Data(p, code, code);
}

std::vector<float> product(const Problem& p, const Data& d, bool epilogue) {
  std::vector<float> c(p.m * p.n, NAN);
  gemm_i8({.a = d.wide_a.data(),
           .lda = paired(p.k),
           .b = d.packed_b.data(),
           .panel_stride = paired(p.k) * kPanel,
           .c = c.data(),
           .ldc = p.n,
           .scale = epilogue ? d.scale.data() : nullptr,
           .bias = epilogue ? d.bias.data() : nullptr,
           .m = p.m,
           .n = p.n,
           .k = p.k});
  return c;
}

std::vector<float> expected(const Problem& p, const Data& d, bool epilogue) {
  std::vector<float> c(p.m * p.n);
  std::vector<int64_t> sums(p.n);
  for (size_t i = 0; i < p.m; ++i) {
    std::fill(sums.begin(), sums.end(), 0);
    for (size_t k = 0; k < p.k; ++k)
      for (size_t j = 0; j < p.n; ++j)
        sums[j] += d.a[i * p.k + k] * static_cast<int64_t>(d.b[k * p.n + j]);
    for (size_t j = 0; j < p.n; ++j) {
      const auto sum = static_cast<float>(sums[j]);
      const volatile float scaled = sum * d.scale[j];  // rounded before the bias is added
      c[i * p.n + j] = epilogue ? scaled + d.bias[j] : sum;
    }
  }
  return c;
}

void check(const Problem& p, const Data& d) {
  const auto plain = expected(p, d, false), finished = expected(p, d, true);
  for_each_isa([&](Isa) {
    SCOPED_TRACE(testing::Message() << "m " << p.m << " n " << p.n << " k " << p.k);
    ASSERT_EQ(product(p, d, false), plain);
    ASSERT_EQ(product(p, d, true), finished);
  });
}

TEST(GemmI8, IsExactForEveryNumberOfRows) {
  for (size_t m = 1; m <= 70; ++m) {
    const Problem p{m, 40, 97};
    check(p, random_data(p));
  }
}

TEST(GemmI8, IsExactForEveryShapeOfPanelsAndPairs) {
  for (const size_t m : {1, 7, 13})
    for (const size_t n : {1, 2, 15, 16, 17, 33, 63, 64, 65, 100})
      for (const size_t k : {1, 2, 3, 32, 383, 768, 769, 770, 1535, 3072}) {
        const Problem p{m, n, k};
        check(p, random_data(p));
      }
}

TEST(GemmI8, ExtremesDoNotOverflow) {
  const auto lowest = [](size_t) { return -128; };
  const auto highest = [](size_t) { return 127; };
  const Problem p{7, 33, 4096};
  check(p, Data(p, lowest, lowest));
  check(p, Data(p, lowest, highest));
  check(p, Data(p, highest, lowest));
  check(p, Data(p, highest, highest));
  const Problem deepest{2, 17, kMostExactDepth};
  check(deepest, Data(deepest, lowest, lowest));
  check(deepest, Data(deepest, lowest, highest));
}

TEST(GemmI8, RowsAndColumnsMayBeDivided) {
  const Problem p{61, 160, 777};
  const Data d = random_data(p);
  const auto whole = expected(p, d, true);
  for_each_isa([&](Isa) {
    for (const size_t rows : {1, 2, 5, 7, 32}) {
      std::vector<float> c(p.m * p.n, NAN);
      for (size_t i = 0; i < p.m; i += rows)
        for (size_t j = 0; j < p.n; j += 48)
          gemm_i8({.a = d.wide_a.data() + i * paired(p.k),
                   .lda = paired(p.k),
                   .b = d.packed_b.data() + j * paired(p.k),
                   .panel_stride = paired(p.k) * kPanel,
                   .c = c.data() + i * p.n + j,
                   .ldc = p.n,
                   .scale = d.scale.data() + j,
                   .bias = d.bias.data() + j,
                   .m = std::min(rows, p.m - i),
                   .n = std::min<size_t>(48, p.n - j),
                   .k = p.k});
      EXPECT_EQ(c, whole) << rows << " rows at a time";
    }
  });
}

}  // namespace
}  // namespace fp8q::cpu
