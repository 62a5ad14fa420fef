#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernel_testing.h"

namespace fp8q::cpu {
namespace {

struct CodeData {
  // a(i) and b(i) return the i-th elements.
  CodeData(const Problem& p, const std::function<int(size_t)>& a_at,
           const std::function<int(size_t)>& b_at)
      : a(p.m * p.k),
        b(p.k * p.n),
        pairs_a(p.m * in_fours(p.k)),
        fours_a(p.m * in_fours(p.k)),
        pairs_b(packed_size(in_fours(p.k), p.n)),
        fours_b(packed_size(in_fours(p.k), p.n)),
        pairs_start(panels(p.n) * kPanel),
        fours_start(panels(p.n) * kPanel) {
    for (size_t i = 0; i < a.size(); ++i) a[i] = a_at(i);
    for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(b_at(i));
    for (size_t i = 0; i < a.size(); ++i) {
      const size_t row = i / p.k, k = i % p.k;
      pairs_a[row * in_fours(p.k) + k] = static_cast<int16_t>(a[i]);
      fours_a[row * in_fours(p.k) + k] = static_cast<uint8_t>(a[i] + 128);
    }
    const std::vector<int8_t> codes(b.begin(), b.end());
    const Pack<int8_t> pack{
        .b = codes.data(), .row_stride = p.n, .column_stride = 1, .k = p.k, .n = p.n};
    pack_i8(pack, pairs_b.data(), pairs_start.data());
    pack_i8_fours(pack, fours_b.data(), fours_start.data());
    scale = random_floats(panels(p.n) * kPanel, 3);
    bias = random_floats(panels(p.n) * kPanel, 4);
  }
  std::vector<int> a;
  std::vector<float> b, scale, bias;
  std::vector<int16_t> pairs_a;
  std::vector<uint8_t> fours_a;
  std::vector<int8_t> pairs_b, fours_b;
  std::vector<int32_t> pairs_start, fours_start;
};

// All codes occur, the extremes often.
CodeData random_data(const Problem& p) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> uniform(-160, 160);
  const auto code = [&](size_t) { return std::clamp(uniform(random), -128, 127); };
  return CodeData(p, code, code);
}

// Describes a part of a product: from row i and column j on.
struct Part {
  size_t i, j, m, n;
};

template <typename A>
void multiply(const Problem& p, const CodeData& d, bool epilogue, const Part& part,
              const std::vector<A>& a, const std::vector<int8_t>& b,
              const std::vector<int32_t>& start, float* c) {
  const size_t depth = in_fours(p.k);
  gemm_i8(Gemm<A, int8_t>{.a = a.data() + part.i * depth,
                          .lda = depth,
                          .b = b.data() + part.j * depth,
                          .panel_stride = depth * kPanel,
                          .c = c + part.i * p.n + part.j,
                          .ldc = p.n,
                          .scale = epilogue ? d.scale.data() + part.j : nullptr,
                          .bias = epilogue ? d.bias.data() + part.j : nullptr,
                          .m = part.m,
                          .n = part.n,
                          .k = p.k,
                          .start = start.data() + part.j});
}

struct Products {
  std::vector<float> pairs, fours;
  Products(const Problem& p, const CodeData& d, bool epilogue, size_t rows, size_t columns)
      : pairs(p.m * p.n, NAN), fours(pairs) {
    for (size_t i = 0; i < p.m; i += rows)
      for (size_t j = 0; j < p.n; j += columns) {
        const Part part{i, j, std::min(rows, p.m - i), std::min(columns, p.n - j)};
        multiply(p, d, epilogue, part, d.pairs_a, d.pairs_b, d.pairs_start, pairs.data());
        multiply(p, d, epilogue, part, d.fours_a, d.fours_b, d.fours_start, fours.data());
      }
  }
};

std::vector<float> expected(const Problem& p, const CodeData& d, bool epilogue) {
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

void check_exact(const Problem& p, const CodeData& d) {
  const auto plain = expected(p, d, false), finished = expected(p, d, true);
  for_each_isa([&](Isa) {
    SCOPED_TRACE(testing::Message() << "m " << p.m << " n " << p.n << " k " << p.k);
    const Products sums(p, d, false, p.m, p.n), scaled(p, d, true, p.m, p.n);
    ASSERT_EQ(sums.pairs, plain);
    ASSERT_EQ(sums.fours, plain);
    ASSERT_EQ(scaled.pairs, finished);
    ASSERT_EQ(scaled.fours, finished);
  });
}

TEST(GemmI8, IsExactForEveryNumberOfRows) {
  for (size_t m = 1; m <= 70; ++m) {
    const Problem p{m, 40, 97};
    check_exact(p, random_data(p));
  }
}

TEST(GemmI8, IsExactForEveryShapeOfPanelsAndPairs) {
  for (const size_t m : {1, 7, 13})
    for (const size_t n : {1, 2, 15, 16, 17, 33, 63, 64, 65, 100})
      for (const size_t k : {1, 2, 3, 32, 383, 768, 769, 770, 1535, 3072}) {
        const Problem p{m, n, k};
        check_exact(p, random_data(p));
      }
}

TEST(GemmI8, ExtremesDoNotOverflow) {
  const auto lowest = [](size_t) { return -128; };
  const auto highest = [](size_t) { return 127; };
  const Problem p{7, 33, 4096};
  check_exact(p, CodeData(p, lowest, lowest));
  check_exact(p, CodeData(p, lowest, highest));
  check_exact(p, CodeData(p, highest, lowest));
  check_exact(p, CodeData(p, highest, highest));
  const Problem deepest{2, 17, kMostExactDepth};
  check_exact(deepest, CodeData(deepest, lowest, lowest));
  check_exact(deepest, CodeData(deepest, lowest, highest));
}

TEST(GemmI8, RowsAndColumnsMayBeDivided) {
  const Problem p{61, 160, 777};
  const CodeData d = random_data(p);
  const auto whole = expected(p, d, true);
  for_each_isa([&](Isa) {
    for (const size_t rows : {1, 2, 5, 7, 32}) {
      const Products c(p, d, true, rows, 48);
      EXPECT_EQ(c.pairs, whole) << rows << " rows at a time";
      EXPECT_EQ(c.fours, whole) << rows << " rows at a time";
    }
  });
}

}  // namespace
}  // namespace fp8q::cpu
