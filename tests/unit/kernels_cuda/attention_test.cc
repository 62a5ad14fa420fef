// Compares the attention kernel with double arithmetic over the same operands.

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

// Says where sequences and their probabilities stand, and the tiles they are divided into.
struct Layout {
  explicit Layout(const Options& options) {
    for (const int32_t length : options.lengths) {
      for (int32_t row = 0; row < length; row += options.tile_rows) {
        tiles.push_back({offsets.back(), length, row, std::min(options.tile_rows, length - row)});
        probability_offsets.push_back(probabilities);
      }
      probabilities += options.heads * int64_t{length} * length;
      offsets.push_back(offsets.back() + length);
      longest = std::max(longest, length);
    }
  }
  size_t tokens() const { return static_cast<size_t>(offsets.back()); }

  std::vector<int32_t> offsets = {0};
  std::vector<AttentionTile> tiles;
  std::vector<int64_t> probability_offsets;
  int64_t probabilities = 0;
  int32_t longest = 0;
};

// Holds the sums of a projection, which are random, and what they mean.
struct Projection {
  Projection(const Options& options, size_t tokens)
      : columns(static_cast<size_t>(3 * options.heads * options.head_size)),
        integers(options.sums == cuda::SumType::i32),
        raw(random_floats(tokens * columns, 5)),
        scale(random_floats(columns, 6, 0.2f)),
        bias(random_floats(columns, 7, 0.1f)) {
    for (float& s : scale) s = 1 + std::fabs(s);
    for (const float x : raw) whole.push_back(static_cast<int32_t>(x * 3));
    for (size_t t = 0; t < tokens; ++t)
      row_scale.push_back(options.row_scales ? 0.5f + 0.07f * static_cast<float>(t % 7) : 1.0f);
  }
  float value(size_t token, size_t column) const {
    const size_t at = token * columns + column;
    const float sum = integers ? static_cast<float>(whole[at])
                               : bf16_value(static_cast<uint16_t>(BFloat16Codec::encode(raw[at])));
    return std::fmaf(sum * row_scale[token], scale[column], bias[column]);
  }

  size_t columns;
  bool integers;
  std::vector<float> raw, scale, bias, row_scale;
  std::vector<int32_t> whole;
};

// Runs attention over random sums, and knows what the kernel should make of them.
class Attended {
 public:
  explicit Attended(const Options& options)
      : options_(options), layout_(options), projection_(options, layout_.tokens()) {
    for (int64_t c = 0; c < hidden(); ++c)
      factors_.push_back(options.factors ? 0.3f * static_cast<float>(c % 5) : 1.0f);
    for (AttentionOperand* o : {&q_, &k_, &v_, &p_}) o->format = options.format;
    if (options.format) p_.scale = scale_for(*options.format, 1.0f);
  }
  void run();
  // Checks one row of a sequence and a head.
  void check_row(size_t sequence, int64_t head, size_t row);

 private:
  int64_t hidden() const { return options_.heads * options_.head_size; }
  float attention_scale() const { return 1.0f / std::sqrt(static_cast<float>(options_.head_size)); }
  // Returns the value of an element of q, k or v.
  double operand(const AttentionOperand& o, int64_t part, size_t token, int64_t channel) const {
    const auto column = static_cast<size_t>(part * hidden() + channel);
    return operand_value(projection_.value(token, column), o);
  }
  std::vector<double> softmax(size_t sequence, int64_t head, size_t row) const;
  void check_channel(size_t sequence, int64_t channel, size_t row, const std::vector<double>& p);

  const Options& options_;
  const Layout layout_;
  const Projection projection_;
  std::vector<float> factors_;
  AttentionOperand q_{.factor = 0.5f, .scale = 0.02f}, k_{.scale = 0.03f}, v_{.scale = 0.04f}, p_;
  static constexpr float kStep = 0.01f;  // of the codes that are the context's operand
  std::vector<float> context_, probabilities_;
  std::vector<uint8_t> codes_;
};

void Attended::run() {
  DeviceArray<uint16_t> sums(to_bf16(projection_.raw));
  DeviceArray<int32_t> integer_sums(projection_.whole);
  DeviceArray<float> scale(projection_.scale), bias(projection_.bias);
  DeviceArray<float> row_scale(projection_.row_scale), factors(factors_);
  DeviceArray<AttentionTile> tiles(layout_.tiles);
  const auto tile_count = static_cast<int32_t>(layout_.tiles.size());
  DeviceArray<int32_t> count(std::vector<int32_t>{tile_count});
  DeviceArray<int64_t> offsets(layout_.probability_offsets);
  const size_t elements = layout_.tokens() * static_cast<size_t>(hidden());
  DeviceArray<float> context(elements), observed(static_cast<size_t>(layout_.probabilities));
  DeviceArray<uint8_t> codes(elements);
  const cuda::Rounding rounding{.format = Format::e4m3,
                                .scale = kStep,
                                .type = cuda::OperandType::e4m3,
                                .factors = options_.factors ? factors.data() : nullptr};
  const cuda::Sums all{projection_.integers ? static_cast<void*>(integer_sums.data()) : sums.data(),
                       options_.sums, scale.data(), bias.data(),
                       options_.row_scales ? row_scale.data() : nullptr};
  cuda::attention({.qkv = {all, all.columns_from(hidden()), all.columns_from(2 * hidden())},
                   .qkv_stride = 3 * hidden(),
                   .tiles = tiles.data(),
                   .tile_count = count.data(),
                   .most_tiles = tile_count + 3,  // surplus blocks do nothing
                   .longest = layout_.longest,
                   .heads = options_.heads,
                   .head_size = options_.head_size,
                   .scale = attention_scale(),
                   .operands = {q_, k_, v_},
                   .probabilities = p_,
                   .shared_limit = options_.shared_limit,
                   .out = {codes.data(), rounding},
                   .values = context.data(),
                   .probability_values = observed.data(),
                   .probability_offsets = offsets.data()},
                  nullptr);
  expect_ok(cudaGetLastError());
  context_ = context.read();
  probabilities_ = observed.read();
  codes_ = codes.read();
}

std::vector<double> Attended::softmax(size_t sequence, int64_t head, size_t row) const {
  const auto first = static_cast<size_t>(layout_.offsets[sequence]);
  std::vector<double> p(static_cast<size_t>(options_.lengths[sequence]));
  double largest = -1e300, total = 0;
  for (size_t j = 0; j < p.size(); ++j) {
    for (int64_t d = head * options_.head_size; d < (head + 1) * options_.head_size; ++d)
      p[j] += operand(q_, 0, first + row, d) * operand(k_, 1, first + j, d);
    p[j] *= attention_scale();
    largest = std::max(largest, p[j]);
  }
  for (double& x : p) total += x = std::exp(x - largest);
  for (double& x : p) x /= total;
  return p;
}

void Attended::check_row(size_t sequence, int64_t head, size_t row) {
  std::vector<double> p = softmax(sequence, head, row);
  int64_t at = 0;  // of the sequence's probabilities
  for (size_t s = 0; s < sequence; ++s)
    at += options_.heads * int64_t{options_.lengths[s]} * options_.lengths[s];
  const size_t n = p.size();
  for (size_t j = 0; j < n; ++j) {
    const float observed =
        probabilities_[static_cast<size_t>(at) + (static_cast<size_t>(head) * n + row) * n + j];
    ASSERT_NEAR(observed, p[j], 6e-6 * p[j] + 1e-9) << row << " " << j;
    p[j] = observed;  // the same value is rounded on both sides
  }
  for (int64_t d = head * options_.head_size; d < (head + 1) * options_.head_size; ++d)
    check_channel(sequence, d, row, p);
}

void Attended::check_channel(size_t sequence, int64_t channel, size_t row,
                             const std::vector<double>& p) {
  const auto first = static_cast<size_t>(layout_.offsets[sequence]);
  double sum = 0, bound = 0;
  for (size_t j = 0; j < p.size(); ++j) {
    const double term = operand_value(p[j], p_) * operand(v_, 2, first + j, channel);
    sum += term;
    bound += std::fabs(term);
  }
  // Tensor cores may truncate a sum at each step of 16.
  const double sum_error = std::ldexp((layout_.longest + 15) / 16 + 4, -23);
  const size_t at = (first + row) * static_cast<size_t>(hidden()) + static_cast<size_t>(channel);
  ASSERT_NEAR(context_[at], sum, sum_error * bound + 1e-9)
      << "row " << row << " channel " << channel;
  const float product = context_[at] * factors_[static_cast<size_t>(channel)];
  ASSERT_EQ(codes_[at], encode(Format::e4m3, product, kStep));
}

void check(const Options& options) {
  SCOPED_TRACE(testing::Message() << options.heads << " heads of " << options.head_size << ", "
                                  << testing::PrintToString(options.lengths));
  Attended attended(options);
  attended.run();
  for (size_t s = 0; s < options.lengths.size(); ++s)
    for (int64_t h = 0; h < options.heads; ++h)
      for (int32_t row = 0; row < options.lengths[s]; ++row) {
        attended.check_row(s, h, static_cast<size_t>(row));
        if (testing::Test::HasFatalFailure()) return;
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
  // 16 rows are missing for a second block. Queries of D = 128 take most of the memory.
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
