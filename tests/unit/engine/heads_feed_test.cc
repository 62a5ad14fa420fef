#include "engine/cpu/heads_feed.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "numeric/format.h"

namespace fp8q::cpu {
namespace {

constexpr size_t kHeads = 3, kSize = 5, kTokens = 7, kWidth = 3 * kHeads * kSize;
constexpr float kScale = 0.015f, kFactor = 0.3f;

float value_of(const Element& element, const std::byte* at) {
  if (element.bytes == 1) return static_cast<float>(static_cast<int8_t>(*at));
  if (element.bytes == 4) return *reinterpret_cast<const float*>(at);
  return std::bit_cast<float>(uint32_t{*reinterpret_cast<const uint16_t*>(at)} << 16);
}

// Feeds parts that end within heads.
void feed_parts(const HeadsFeed& feed, const std::vector<float>& x) {
  constexpr size_t kRows[] = {0, 3, kTokens}, kColumns[] = {0, 7, 22, kWidth};
  for (size_t r = 0; r < 2; ++r)
    for (size_t c = 0; c < 3; ++c)
      feed.take({x.data() + kRows[r] * kWidth + kColumns[c],
                 kWidth,
                 {kRows[r], kRows[r + 1]},
                 {kColumns[c], kColumns[c + 1]}});
}

// q has a factor; k has none.
TEST(HeadsFeed, SortsCodesByHeads) {
  std::mt19937 random(8);
  std::normal_distribution<float> normal(0.0f, 1.0f);
  std::vector<float> x(kTokens * kWidth);
  for (float& v : x) v = normal(random);
  for (const Element* element : {&elements::kF32, &elements::kBf16, &elements::kI8})
    for (const Format format : kEveryFormat) {
      if (!element->round && !info(format).integer) continue;
      Site site;
      site.kind = SiteKind::activation;
      site.quantization = Quantization{format, Tensor::scalar(kScale), {}};
      const ActivationSites sites({site});
      const AttentionOperand plain{0, {}, ActivationQuantization{format, kScale, false, {}}};
      QkvOperands operands{plain, plain, plain};
      operands[0].factors.assign(kSize, kFactor);
      const HeadsLayout layout{kHeads, kSize, kTokens, element};
      std::vector<float> memory(kTokens * kWidth);
      feed_parts(HeadsFeed(operands, layout, memory.data(), sites, 0), x);

      uint64_t saturated = 0;
      const auto* sorted = reinterpret_cast<const std::byte*>(memory.data());
      for (size_t t = 0; t < kTokens; ++t)
        for (size_t c = 0; c < kWidth; ++c) {
          const size_t head = c / kSize, operand = head / kHeads;
          const float v = x[t * kWidth + c] * (operand == 0 ? kFactor : 1.0f);
          saturated += saturates(format, v, kScale);
          const std::byte* at =
              sorted + layout.row(operand, head % kHeads, t) + c % kSize * element->bytes;
          ASSERT_EQ(value_of(*element, at), decode(format, encode(format, v, kScale)));
        }
      EXPECT_EQ(sites.counts()[0].saturated, saturated);
      EXPECT_EQ(saturated > 0, format == Format::int8) << "FP8 reaches further";
    }
}

TEST(HeadsFeed, ScalesWhatIsNotQuantized) {
  std::vector<float> x(kTokens * kWidth);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const AttentionOperand plain{-1, {}, std::nullopt};
  QkvOperands operands{plain, plain, plain};
  operands[1].factors.assign(kSize, 0.5f);
  const ActivationSites sites({});
  const HeadsLayout layout{kHeads, kSize, kTokens, &elements::kF32};
  std::vector<float> memory(kTokens * kWidth);
  feed_parts(HeadsFeed(operands, layout, memory.data(), sites, 0), x);
  for (size_t t = 0; t < kTokens; ++t)
    for (size_t c = 0; c < kWidth; ++c) {
      const size_t head = c / kSize, operand = head / kHeads;
      const size_t at = layout.row(operand, head % kHeads, t) / sizeof(float) + c % kSize;
      ASSERT_EQ(memory[at], x[t * kWidth + c] * (operand == 1 ? 0.5f : 1.0f));
    }
}

}  // namespace
}  // namespace fp8q::cpu
