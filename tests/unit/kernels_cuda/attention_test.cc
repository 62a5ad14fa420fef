// The attention kernel against double arithmetic over the same operands.

#include "kernels/cuda/attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/kernels_cuda/device.h"

namespace fp8q::test {
namespace {

using cuda::AttentionOperand;
using cuda::AttentionTile;

constexpr int64_t kShared = 96 * 1024;

struct Options {
  std::vector<int32_t> lengths;
  int64_t heads = 2, head_size = 64;
  std::optional<Format> format;
  int32_t tile_rows = cuda::kAttentionRows;
  int64_t shared_limit = kShared;
  cuda::SumType sums = cuda::SumType::bf16;
  bool row_scales = false, factors = false;  // of the sums' rows, of the context's channels
};

double operand_value(double y, const AttentionOperand& o) {
  const float x = static_cast<float>(y) * o.factor;
  if (!o.format) return Float16Codec::decode(Float16Codec::encode(x));
  return double{decode(*o.format, encode(*o.format, x, o.scale))} * o.scale;
}

void check(const Options& options) {
  SCOPED_TRACE(testing::Message() << options.heads << " heads of " << options.head_size << ", "
                                  << testing::PrintToString(options.lengths));
  const int64_t heads = options.heads, size = options.head_size, hidden = heads * size;
  std::vector<int32_t> offsets = {0};
  std::vector<AttentionTile> tiles;
  std::vector<int64_t> probability_offsets;
  int64_t probabilities = 0;
  int32_t longest = 0;
  for (const int32_t length : options.lengths) {
    for (int32_t row = 0; row < length; row += options.tile_rows) {
      tiles.push_back({offsets.back(), length, row, std::min(options.tile_rows, length - row)});
      probability_offsets.push_back(probabilities);
    }
    probabilities += heads * int64_t{length} * length;
    offsets.push_back(offsets.back() + length);
    longest = std::max(longest, length);
  }
  const auto tokens = static_cast<size_t>(offsets.back());
  const size_t columns = static_cast<size_t>(3 * hidden);

  const auto raw = random_floats(tokens * columns, 5);
  auto scale = random_floats(columns, 6, 0.2f);
  for (float& s : scale) s = 1 + std::fabs(s);
  const auto bias = random_floats(columns, 7, 0.1f);
  const bool integers = options.sums == cuda::SumType::i32;
  std::vector<int32_t> whole;
  for (const float x : raw) whole.push_back(static_cast<int32_t>(x * 3));
  DeviceArray<uint16_t> sums(to_bf16(raw));
  DeviceArray<int32_t> integer_sums(whole);
  DeviceArray<float> device_scale(scale), device_bias(bias);
  std::vector<float> row_scale, factors;
  for (size_t t = 0; t < tokens; ++t)
    row_scale.push_back(options.row_scales ? 0.5f + 0.07f * static_cast<float>(t % 7) : 1.0f);
  for (int64_t c = 0; c < hidden; ++c)
    factors.push_back(options.factors ? 0.3f * static_cast<float>(c % 5) : 1.0f);
  DeviceArray<float> device_row_scale(row_scale), device_factors(factors);
  const auto value = [&](size_t token, size_t column) {
    const float sum = integers ? static_cast<float>(whole[token * columns + column])
                               : bf16_value(static_cast<uint16_t>(
                                     BFloat16Codec::encode(raw[token * columns + column])));
    return std::fmaf(sum * row_scale[token], scale[column], bias[column]);
  };

  AttentionOperand q{.factor = 0.5f, .format = options.format, .scale = 0.02f};
  AttentionOperand k{.format = options.format, .scale = 0.03f};
  AttentionOperand v{.format = options.format, .scale = 0.04f};
  AttentionOperand p{.format = options.format,
                     .scale = options.format ? scale_for(*options.format, 1.0f) : 1.0f};
  // Tensor cores may truncate a sum at each step of 16.
  const double sum_error = std::ldexp((longest + 15) / 16 + 4, -23);
  const float attention_scale = 1.0f / std::sqrt(static_cast<float>(size));

  DeviceArray<AttentionTile> device_tiles(tiles);
  DeviceArray<int32_t> count(std::vector<int32_t>{static_cast<int32_t>(tiles.size())});
  DeviceArray<int64_t> device_offsets(probability_offsets);
  DeviceArray<float> context(tokens * static_cast<size_t>(hidden));
  DeviceArray<float> observed(static_cast<size_t>(probabilities));
  DeviceArray<uint8_t> codes(tokens * static_cast<size_t>(hidden));
  const cuda::Rounding rounding{.format = Format::e4m3,
                                .scale = 0.01f,
                                .type = cuda::OperandType::e4m3,
                                .factors = options.factors ? device_factors.data() : nullptr};
  const cuda::Sums all{integers ? static_cast<void*>(integer_sums.data()) : sums.data(),
                       options.sums, device_scale.data(), device_bias.data(),
                       options.row_scales ? device_row_scale.data() : nullptr};
  cuda::attention(
      {.qkv = {all, all.columns_from(hidden), all.columns_from(2 * hidden)},
       .qkv_stride = 3 * hidden,
       .tiles = device_tiles.data(),
       .tile_count = count.data(),
       .most_tiles = static_cast<int64_t>(tiles.size()) + 3,  // surplus blocks do nothing
       .longest = longest,
       .heads = heads,
       .head_size = size,
       .scale = attention_scale,
       .operands = {q, k, v},
       .probabilities = p,
       .shared_limit = options.shared_limit,
       .out = {codes.data(), rounding},
       .values = context.data(),
       .probability_values = observed.data(),
       .probability_offsets = device_offsets.data()},
      nullptr);
  expect_ok(cudaGetLastError());

  const auto got = context.read();
  const auto got_p = observed.read();
  const auto got_codes = codes.read();
  int64_t at = 0;
  for (size_t s = 0; s < options.lengths.size(); ++s) {
    const auto n = static_cast<size_t>(options.lengths[s]);
    const auto first = static_cast<size_t>(offsets[s]);
    for (int64_t h = 0; h < heads; ++h) {
      const auto column = [&](int64_t part, int64_t d) {
        return static_cast<size_t>(part * hidden + h * size + d);
      };
      for (size_t i = 0; i < n; ++i) {
        std::vector<double> score(n);
        double largest = -1e300, total = 0;
        for (size_t j = 0; j < n; ++j) {
          for (int64_t d = 0; d < size; ++d)
            score[j] += operand_value(value(first + i, column(0, d)), q) *
                        operand_value(value(first + j, column(1, d)), k);
          score[j] *= attention_scale;
          largest = std::max(largest, score[j]);
        }
        for (double& x : score) total += x = std::exp(x - largest);
        for (size_t j = 0; j < n; ++j) {
          const float observed_p = got_p[static_cast<size_t>(at) + i * n + j];
          ASSERT_NEAR(observed_p, score[j] / total, 6e-6 * (score[j] / total) + 1e-9)
              << i << " " << j;
          score[j] = observed_p;  // the same value is rounded on both sides
        }
        for (int64_t d = 0; d < size; ++d) {
          double sum = 0, bound = 0;
          for (size_t j = 0; j < n; ++j) {
            const double term =
                operand_value(score[j], p) * operand_value(value(first + j, column(2, d)), v);
            sum += term;
            bound += std::fabs(term);
          }
          const size_t index =
              (first + i) * static_cast<size_t>(hidden) + static_cast<size_t>(h * size + d);
          ASSERT_NEAR(got[index], sum, sum_error * bound + 1e-9) << "row " << i << " channel " << d;
          const float product = got[index] * factors[static_cast<size_t>(h * size + d)];
          ASSERT_EQ(got_codes[index], encode(Format::e4m3, product, rounding.scale));
        }
      }
      at += static_cast<int64_t>(n * n);
    }
  }
}

TEST(CudaAttention, HeadSizesAndFormats) {
  FP8Q_NEED_DEVICE();
  for (const int64_t size : {32, 64, 128})
    for (const auto format : {std::optional<Format>(), std::optional(Format::e4m3),
                              std::optional(Format::e5m2), std::optional(Format::int8)})
      check({.lengths = {5, 17, 40}, .head_size = size, .format = format});
}

TEST(CudaAttention, LengthsAroundEveryBlockSize) {
  FP8Q_NEED_DEVICE();
  check({.lengths = {1, 2, 15, 16, 17, 63, 64, 65, 80},
         .heads = 1,
         .head_size = 32,
         .format = Format::e4m3});
}

TEST(CudaAttention, TilesOfManyRows) {
  FP8Q_NEED_DEVICE();
  check(
      {.lengths = {150, 3}, .heads = 1, .head_size = 32, .format = Format::e4m3, .tile_rows = 512});
}

TEST(CudaAttention, KeysThatDoNotFitSharedMemoryComeInChunks) {
  FP8Q_NEED_DEVICE();
  for (const int32_t rows : {64, 512})
    check({.lengths = {100, 33, 128},
           .heads = 1,
           .head_size = 32,
           .format = Format::e4m3,
           .tile_rows = rows,
           .shared_limit = 48 * 2 * 32 * 2 + 64 * 32 * 2});
}

TEST(CudaAttention, EightWarps) {
  FP8Q_NEED_DEVICE();
  const Options options{
      .lengths = {260, 3}, .heads = 1, .head_size = 32, .format = Format::e4m3, .tile_rows = 192};
  ASSERT_EQ(cuda::attention_warps(260, 32, kShared), 8);
  check(options);
  // 16 rows too few for a second block; queries of D = 128 are most of the memory.
  ASSERT_EQ(cuda::attention_warps(64, 128, 56 * 1024), 8);
  check({.lengths = {64, 50}, .heads = 1, .head_size = 128, .shared_limit = 56 * 1024});
}

TEST(CudaAttention, WarpsFollowWhatSharedMemoryHolds) {
  constexpr int64_t kHopper = 227 * 1024;
  EXPECT_EQ(cuda::attention_warps(128, 64, kHopper), 4) << "16 warps are resident either way";
  EXPECT_EQ(cuda::attention_warps(256, 64, kHopper), 8) << "16 against 12";
  EXPECT_EQ(cuda::attention_warps(384, 64, kHopper), 8) << "16 against 8";
  EXPECT_EQ(cuda::attention_warps(512, 64, kHopper), 8) << "8 against 4";
  EXPECT_EQ(cuda::attention_warps(128, 128, kHopper), 4);
  EXPECT_EQ(cuda::attention_warps(512, 32, kHopper), 8) << "16 against 12";
}

TEST(CudaAttention, ScalesOfRowsAndFactorsOfChannels) {
  FP8Q_NEED_DEVICE();
  for (const auto sums : {cuda::SumType::bf16, cuda::SumType::i32})
    check({.lengths = {5, 40}, .head_size = 32, .sums = sums, .row_scales = true, .factors = true});
}

TEST(CudaAttention, IntegerSums) {
  FP8Q_NEED_DEVICE();
  check({.lengths = {20, 31}, .head_size = 32, .format = Format::int8, .sums = cuda::SumType::i32});
}

}  // namespace
}  // namespace fp8q::test
