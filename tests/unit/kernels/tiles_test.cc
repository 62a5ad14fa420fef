#include "kernels/cpu/tiles.h"

#include <bit>
#include <cmath>
#include <random>

#include "kernel_testing.h"
#include "kernels/cpu/codec.h"

namespace fp8q::cpu {
namespace {

struct Size {
  size_t rows, k, n;
};
constexpr Size kSizes[] = {{1, 1, 1}, {16, 64, 32}, {17, 65, 33}, {32, 384, 70}, {5, 31, 31}};

// Returns [rows, columns] as A stands in tiles, filled up with zeros.
template <typename T>
std::vector<T> in_tiles(const std::vector<T>& a, size_t rows, size_t columns) {
  constexpr size_t kOfRow = 64 / sizeof(T);
  const size_t stride = (columns + kOfRow - 1) / kOfRow * kOfRow;
  std::vector<T> tiles((rows + kTileRows - 1) / kTileRows * kTileRows * stride);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      tiles[place_in_tiles<T>(r, c, stride)] = a[r * columns + c];
  return tiles;
}

// Returns the sums of all rows and columns, [rows, n].
template <typename T, typename Sum>
std::vector<Sum> multiply(TileType type, const std::vector<T>& a, const std::vector<T>& b,
                          const Size& size) {
  const size_t steps = tile_steps(type, size.k);
  std::vector<T> packed(tile_packed_size(type, size.k, size.n));
  pack_tiles({b.data(), size.n, 1, size.k, size.n}, packed.data());
  const std::vector<T> tiles = in_tiles(a, size.rows, size.k);
  std::vector<Sum> result(size.rows * size.n);
  const TileScope scope;
  for (size_t p = 0; p < tile_panels(size.n); ++p) {
    Sum sums[kTileBlockRows * kTilePanel];
    multiply_tiles(scope, {.type = type,
                           .a = tiles.data(),
                           .rows = size.rows,
                           .b = packed.data() + p * steps * kTileStepBytes / sizeof(T),
                           .steps = steps,
                           .sums = sums,
                           .stride = kTilePanel});
    for (size_t r = 0; r < size.rows; ++r)
      for (size_t c = 0; c < kTilePanel && p * kTilePanel + c < size.n; ++c)
        result[r * size.n + p * kTilePanel + c] = sums[r * kTilePanel + c];
  }
  return result;
}

TEST(Tiles, Int8SumsAreExact) {
  std::mt19937 random(1);
  for (const Size& size : kSizes) {
    std::vector<int8_t> a(size.rows * size.k), b(size.k * size.n);
    for (int8_t& v : a) v = static_cast<int8_t>(random());
    for (int8_t& v : b) v = static_cast<int8_t>(random());
    std::vector<int32_t> expected(size.rows * size.n);
    for (size_t r = 0; r < size.rows; ++r)
      for (size_t k = 0; k < size.k; ++k)
        for (size_t n = 0; n < size.n; ++n)
          expected[r * size.n + n] += a[r * size.k + k] * b[k * size.n + n];
    for_each_isa([&](Isa) {
      EXPECT_EQ((multiply<int8_t, int32_t>(TileType::int8, a, b, size)), expected) << size.k;
    });
  }
}

// Plain code forms sums in the order of the instruction, so that a CPU with tiles gives the same
// bits. Each differs from the exact sum by no more than its roundings.
TEST(Tiles, Bf16SumsAreThoseOfTwoChains) {
  for (const Size& size : kSizes) {
    const auto x = random_floats(size.rows * size.k, 2), y = random_floats(size.k * size.n, 3);
    std::vector<uint16_t> a(x.size()), b(y.size());
    round_to_bf16(x.data(), x.size(), a.data());
    round_to_bf16(y.data(), y.size(), b.data());
    const auto value = [](uint16_t bits) {
      return double{std::bit_cast<float>(uint32_t{bits} << 16)};
    };
    std::vector<float> first;
    for_each_isa([&](Isa) {
      const auto sums = multiply<uint16_t, float>(TileType::bf16, a, b, size);
      if (first.empty()) first = sums;
      EXPECT_EQ(sums, first) << size.k;
      for (size_t r = 0; r < size.rows; ++r)
        for (size_t n = 0; n < size.n; ++n) {
          double exact = 0, magnitude = 0;
          for (size_t k = 0; k < size.k; ++k) {
            const double product = value(a[r * size.k + k]) * value(b[k * size.n + n]);
            exact += product;
            magnitude += std::abs(product);
          }
          const double roundings = 18 + static_cast<double>(tile_steps(TileType::bf16, size.k));
          ASSERT_NEAR(sums[r * size.n + n], exact, roundings * 0x1p-24 * magnitude) << size.k;
        }
    });
  }
}

TEST(Tiles, RowsAreIndependentOfTheirNumber) {
  const Size size{32, 100, 32};
  const auto x = random_floats(size.rows * size.k, 4), y = random_floats(size.k * size.n, 5);
  std::vector<uint16_t> a(x.size()), b(y.size());
  round_to_bf16(x.data(), x.size(), a.data());
  round_to_bf16(y.data(), y.size(), b.data());
  const auto all = multiply<uint16_t, float>(TileType::bf16, a, b, size);
  for (const size_t rows : {1, 15, 16, 17, 31}) {
    const auto some = multiply<uint16_t, float>(TileType::bf16, a, b, {rows, size.k, size.n});
    for (size_t i = 0; i < some.size(); ++i) ASSERT_EQ(some[i], all[i]) << rows;
  }
}

}  // namespace
}  // namespace fp8q::cpu
