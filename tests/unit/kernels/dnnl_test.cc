#include "kernels/cpu/dnnl_matmul.h"

#include <gmock/gmock.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "kernel_testing.h"
#include "numeric/minifloat.h"

namespace fp8q::cpu {
namespace {

// The codes are so small that the AVX2 kernel's 16-bit sums of pairs do not saturate. This tests
// our use of oneDNN on every CPU.
std::vector<int8_t> random_codes(size_t n, int largest, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> uniform(-largest, largest);
  std::vector<int8_t> x(n);
  for (int8_t& v : x) v = static_cast<int8_t>(uniform(random));
  return x;
}

constexpr size_t kRows = DnnlMatmul::kRows;

int largest_code() { return detected_isa() >= Isa::avx512_vnni ? 127 : 40; }

std::unique_ptr<DnnlMatmul> any_int8(size_t k, size_t n, const std::vector<int8_t>& w) {
  return DnnlMatmul::create(DotType::int8, k, n, w.data(), DnnlKernels::any);
}

// Multiplies [kRows, k] by [k, n].
std::vector<int32_t> exact_sums(const std::vector<int8_t>& a, const std::vector<int8_t>& w,
                                size_t k, size_t n) {
  std::vector<int32_t> sums(kRows * n);
  for (size_t i = 0; i < kRows; ++i)
    for (size_t x = 0; x < k; ++x)
      for (size_t j = 0; j < n; ++j) sums[i * n + j] += a[i * k + x] * w[x * n + j];
  return sums;
}

// Restores the number of threads, whatever a test sets.
struct ThreadsGuard {
  int before = omp_get_max_threads();
  ~ThreadsGuard() { omp_set_num_threads(before); }
};

TEST(DnnlMatmul, Int8SumsAreExact) {
  const size_t k = 384;
  for (const size_t n : {2, 17, 192, 256, 384}) {
    const auto w = random_codes(k * n, largest_code(), 1);
    const auto product = any_int8(k, n, w);
    if (!product) GTEST_SKIP() << "oneDNN has no INT8 matmul for this CPU";
    const auto a = random_codes(kRows * k, largest_code(), 2);
    std::vector<int32_t> sums(kRows * n);
    ASSERT_TRUE(product->run(a.data(), sums.data()));
    ASSERT_EQ(sums, exact_sums(a, w, k, n)) << n;
  }
}

TEST(DnnlMatmul, OnlyKernelsOfTheTilesAreTaken) {
  const size_t k = 384, n = 256;
  const auto w = random_codes(k * n, 40, 1);
  const auto product = DnnlMatmul::create(DotType::int8, k, n, w.data());
  if (!product) {
    EXPECT_LT(detected_isa(), Isa::amx) << "or oneDNN was told to do without it";
    return;
  }
  EXPECT_EQ(detected_isa(), Isa::amx);
  EXPECT_THAT(product->implementation(), testing::HasSubstr("amx"));
}

// Runs `product` at top level, and by every thread of a parallel region at once. All results must
// be `expected`, bit for bit, and the number of threads must not change.
template <typename T, typename Sum>
void expect_same_everywhere(const DnnlMatmul& product, const std::vector<T>& a,
                            const std::vector<Sum>& expected) {
  for (const int threads : {1, 2, 8}) {
    SCOPED_TRACE(threads);
    omp_set_num_threads(threads);
    std::vector<Sum> sums(expected.size());
    ASSERT_TRUE(product.run(a.data(), sums.data()));
    EXPECT_EQ(omp_get_max_threads(), threads);
    ASSERT_EQ(0, std::memcmp(sums.data(), expected.data(), sums.size() * sizeof(Sum)));
    int same = 0, team = 0;
#pragma omp parallel num_threads(threads) reduction(+ : same, team)
    {
      std::vector<Sum> own(expected.size());
      const int before = omp_get_max_threads();
      const bool ran = product.run(a.data(), own.data());
      ++team;
      same += ran && omp_get_max_threads() == before &&
              std::memcmp(own.data(), expected.data(), own.size() * sizeof(Sum)) == 0;
    }
    EXPECT_EQ(same, team);
  }
}

// `create` makes the product. It is called under several numbers of threads and inside a parallel
// region.
template <typename Create, typename T, typename Sum>
void expect_independent_of_threads(const Create& create, const std::vector<T>& a,
                                   const std::vector<Sum>& expected) {
  const ThreadsGuard guard;
  for (const int threads : {1, 2, 8}) {
    SCOPED_TRACE(threads);
    omp_set_num_threads(threads);
    const auto product = create();
    ASSERT_NE(product, nullptr);
    EXPECT_EQ(omp_get_max_threads(), threads);
    expect_same_everywhere(*product, a, expected);
    std::vector<std::unique_ptr<DnnlMatmul>> inside(static_cast<size_t>(threads));
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (size_t i = 0; i < inside.size(); ++i) inside[i] = create();
    for (const auto& one : inside) {
      ASSERT_NE(one, nullptr);
      expect_same_everywhere(*one, a, expected);
    }
  }
}

TEST(DnnlMatmul, Int8IsIndependentOfThreads) {
  const size_t k = 768, n = 192;
  const auto w = random_codes(k * n, largest_code(), 5);
  if (!any_int8(k, n, w)) GTEST_SKIP() << "oneDNN has no INT8 matmul for this CPU";
  const auto a = random_codes(kRows * k, largest_code(), 6);
  expect_independent_of_threads([&] { return any_int8(k, n, w); }, a, exact_sums(a, w, k, n));
}

std::vector<uint16_t> random_bf16(size_t n, unsigned seed) {
  std::vector<uint16_t> halves;
  for (const float v : random_floats(n, seed))
    halves.push_back(static_cast<uint16_t>(BFloat16Codec::encode(v)));
  return halves;
}

TEST(DnnlMatmul, Bf16MatchesDoubleAndRowsAreIndependent) {
  if (detected_isa() < Isa::avx512_bf16) GTEST_SKIP() << "needs AVX512-BF16";
  const size_t k = 1536, n = 256;
  const auto w = random_bf16(k * n, 3);
  auto a = random_bf16(kRows * k, 4);
  const auto product = DnnlMatmul::create(DotType::bf16, k, n, w.data(), DnnlKernels::any);
  ASSERT_NE(product, nullptr);
  std::vector<float> all(kRows * n);
  ASSERT_TRUE(product->run(a.data(), all.data()));
  for (size_t i = 0; i < kRows; ++i)
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
  // Every row is tried in every place, beside other rows and beside zeros.
  std::vector<float> moved(kRows * n);
  for (size_t shift = 1; shift < kRows; ++shift) {
    std::rotate(a.begin(), a.begin() + static_cast<ptrdiff_t>(k), a.end());
    auto some = a;
    if (shift % 2)
      std::fill(some.begin() + static_cast<ptrdiff_t>((kRows - shift) * k), some.end(), 0);
    ASSERT_TRUE(product->run(some.data(), moved.data()));
    for (size_t i = 0; i < (kRows - shift) * n; ++i)
      ASSERT_EQ(moved[i], all[shift * n + i]) << shift;
  }
}

TEST(DnnlMatmul, Bf16IsIndependentOfThreads) {
  const size_t k = 1536, n = 192;
  if (detected_isa() < Isa::avx512_bf16) GTEST_SKIP() << "needs AVX512-BF16";
  const auto w = random_bf16(k * n, 7);
  const auto a = random_bf16(kRows * k, 8);
  const auto create = [&] {
    return DnnlMatmul::create(DotType::bf16, k, n, w.data(), DnnlKernels::any);
  };
  const auto product = create();
  ASSERT_NE(product, nullptr);
  std::vector<float> expected(kRows * n);
  ASSERT_TRUE(product->run(a.data(), expected.data()));
  expect_independent_of_threads(create, a, expected);
}

}  // namespace
}  // namespace fp8q::cpu
