// Runs all 2^32 floats through the vector codecs of every instruction set of this machine. This
// takes some minutes, so it runs only with FP8Q_EXHAUSTIVE=1.
#include <bit>
#include <cmath>
#include <vector>

#include "kernel_testing.h"
#include "kernels/cpu/codec.h"
#include "tests/unit/numeric/exhaustive.h"

namespace fp8q::cpu {
namespace {

constexpr size_t kBlock = size_t{1} << 16;

// Calls check(x) with blocks that hold all floats.
template <typename Check>
void for_each_block(const Check& check) {
  std::vector<float> x(kBlock);
  for (uint32_t block = 0; block < (uint64_t{1} << 32) / kBlock; ++block) {
    for (size_t i = 0; i < kBlock; ++i)
      x[i] = std::bit_cast<float>(static_cast<uint32_t>(block * kBlock + i));
    check(x);
  }
}

// NaNs are one class.
uint64_t count_differences(const std::vector<float>& a, const std::vector<float>& b) {
  uint64_t differences = 0;
  for (size_t i = 0; i < a.size(); ++i)
    differences += std::bit_cast<uint32_t>(a[i]) != std::bit_cast<uint32_t>(b[i]) &&
                   !(std::isnan(a[i]) && std::isnan(b[i]));
  return differences;
}

template <typename Code>
QuantizeRows rows_of(Format format, const std::vector<float>& x, std::vector<Code>& out) {
  return {format, 1.0f, x.data(), x.size(), out.data(), x.size(), 1, x.size()};
}

class ExhaustiveCodec : public testing::TestWithParam<Format> {};

TEST_P(ExhaustiveCodec, EveryInstructionSetQuantizesAllFloats) {
  if (!test::exhaustive()) GTEST_SKIP() << test::kExhaustiveHint;
  const Format format = GetParam();
  std::vector<uint64_t> of_f32(static_cast<size_t>(detected_isa()) + 1), of_bf16 = of_f32,
                                                                         of_i8 = of_f32;
  std::vector<float> expected(kBlock), values(kBlock);
  std::vector<uint16_t> halves(kBlock);
  std::vector<int8_t> bytes(kBlock);
  for_each_block([&](const std::vector<float>& x) {
    for (size_t i = 0; i < kBlock; ++i) expected[i] = decode(format, encode(format, x[i], 1.0f));
    for_each_isa([&](Isa level) {
      const auto l = static_cast<size_t>(level);
      quantize_to_f32(rows_of(format, x, values));
      of_f32[l] += count_differences(values, expected);
      quantize_to_bf16(rows_of(format, x, halves));
      for (size_t i = 0; i < kBlock; ++i) values[i] = BFloat16Codec::decode(halves[i]);
      of_bf16[l] += count_differences(values, expected);
      if (!info(format).integer) return;
      quantize_to_i8(rows_of(format, x, bytes));
      for (size_t i = 0; i < kBlock; ++i) values[i] = bytes[i];
      of_i8[l] += count_differences(values, expected);
    });
  });
  for_each_isa([&](Isa level) {
    const auto l = static_cast<size_t>(level);
    EXPECT_EQ(of_f32[l], 0u);
    EXPECT_EQ(of_bf16[l], 0u);
    EXPECT_EQ(of_i8[l], 0u);
  });
}

INSTANTIATE_TEST_SUITE_P(Formats, ExhaustiveCodec, testing::ValuesIn(kEveryFormat),
                         [](const auto& p) { return std::string(fp8q::info(p.param).name); });

TEST(ExhaustiveBf16, EveryInstructionSetRoundsAllFloats) {
  if (!test::exhaustive()) GTEST_SKIP() << test::kExhaustiveHint;
  std::vector<uint64_t> mismatches(static_cast<size_t>(detected_isa()) + 1);
  std::vector<uint16_t> expected(kBlock), halves(kBlock);
  for_each_block([&](const std::vector<float>& x) {
    for (size_t i = 0; i < kBlock; ++i)
      expected[i] = static_cast<uint16_t>(BFloat16Codec::encode(x[i]));
    for_each_isa([&](Isa level) {
      round_to_bf16(x.data(), kBlock, halves.data());
      for (size_t i = 0; i < kBlock; ++i)
        mismatches[static_cast<size_t>(level)] += halves[i] != expected[i];
    });
  });
  for_each_isa([&](Isa level) { EXPECT_EQ(mismatches[static_cast<size_t>(level)], 0u); });
}

}  // namespace
}  // namespace fp8q::cpu
