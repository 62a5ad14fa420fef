#include "kernels/cpu/dnnl_matmul.h"

#include <cmath>
#include <random>

#include "kernel_testing.h"
#include "numeric/minifloat.h"

namespace fp8q::cpu {
namespace {

// Codes so small that the AVX2 kernel's 16-bit sums of pairs do not saturate: this tests our use of
// oneDNN on every CPU.
std::vector<int8_t> random_codes(size_t n, int largest, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> uniform(-largest, largest);
  std::vector<int8_t> x(n);
  for (int8_t& v : x) v = static_cast<int8_t>(uniform(random));
  return x;
}

TEST(DnnlMatmul, Int8SumsAreExact) {
  const int largest = detected_isa() >= Isa::avx512_vnni ? 127 : 40;
  for (const size_t n : {2, 17, 384}) {
    const size_t k = 384;
    const auto w = random_codes(k * n, largest, 1);
    const auto product = DnnlMatmul::create(DotType::int8, k, n, w.data());
    if (!product) GTEST_SKIP() << "oneDNN has no INT8 matmul for this CPU";
    for (const size_t m : {1, 16, 25, 33, 200, 257, 600}) {
      const size_t rows = DnnlMatmul::padded_rows(m);
      ASSERT_GE(rows, m);
      auto a = random_codes(rows * k, largest, 2);
      std::vector<int32_t> sums(rows * n);
      ASSERT_TRUE(product->run(a.data(), m, sums.data()));
      for (size_t i = 0; i < m; ++i)
        for (size_t j = 0; j < n; j += 5) {
          int32_t sum = 0;
          for (size_t x = 0; x < k; ++x) sum += a[i * k + x] * w[x * n + j];
          ASSERT_EQ(sums[i * n + j], sum) << m << " x " << n << " at " << i << ", " << j;
        }
    }
  }
}

TEST(DnnlMatmul, Bf16MatchesDoubleAndRowsAreIndependent) {
  if (detected_isa() < Isa::avx512_bf16) GTEST_SKIP() << "needs AVX512-BF16";
  const size_t k = 1536, n = 384, m = 600;
  const auto to_half = [](const std::vector<float>& x) {
    std::vector<uint16_t> h(x.size());
    for (size_t i = 0; i < x.size(); ++i) h[i] = static_cast<uint16_t>(BFloat16Codec::encode(x[i]));
    return h;
  };
  const auto w = to_half(random_floats(k * n, 3));
  const auto a = to_half(random_floats(DnnlMatmul::padded_rows(m) * k, 4));
  const auto product = DnnlMatmul::create(DotType::bf16, k, n, w.data());
  ASSERT_NE(product, nullptr);
  std::vector<float> all(DnnlMatmul::padded_rows(m) * n);
  ASSERT_TRUE(product->run(a.data(), m, all.data()));
  for (size_t i = 0; i < m; i += 7)
    for (size_t j = 0; j < n; j += 5) {
      double sum = 0, magnitude = 0;
      for (size_t x = 0; x < k; ++x) {
        const double p =
            double{BFloat16Codec::decode(a[i * k + x])} * BFloat16Codec::decode(w[x * n + j]);
        sum += p;
        magnitude += std::abs(p);
      }
      ASSERT_NEAR(all[i * n + j], sum, static_cast<double>(k + 2) * std::ldexp(magnitude, -24));
    }
  for (const size_t rows : {1, 7, 16, 25, 64, 100}) {
    std::vector<float> some(DnnlMatmul::padded_rows(rows) * n);
    ASSERT_TRUE(product->run(a.data() + 3 * k, rows, some.data()));
    for (size_t i = 0; i < rows * n; ++i) ASSERT_EQ(some[i], all[3 * n + i]) << rows << " rows";
  }
}

}  // namespace
}  // namespace fp8q::cpu
