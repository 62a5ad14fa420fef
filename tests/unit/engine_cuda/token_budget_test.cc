#include "engine/cuda/token_budget.h"

#include <gtest/gtest.h>

namespace fp8q::cuda {
namespace {

LayerWidths layer(int64_t hidden, int64_t inner) {
  return {{{3 * hidden, hidden}, {hidden, hidden}, {inner, hidden}, {hidden, inner}},
          3 * inner + 4 * hidden};
}

DeviceInfo h100() {
  DeviceInfo device;
  device.multiprocessors = 132;
  device.l2_bytes = size_t{50} << 20;
  return device;
}

TEST(TokenBudget, WavesOfTilesByHand) {
  // 22 x 6 tiles are one wave; 32 x 6 = 192 tiles take two waves of 132.
  const LayerWidths one{{{768, 768}}, 1};
  EXPECT_DOUBLE_EQ(wave_efficiency(one, 2816, 132), 1.0);
  EXPECT_DOUBLE_EQ(wave_efficiency(one, 4096, 132), 192.0 / 264);
  EXPECT_DOUBLE_EQ(wave_efficiency(one, 64, 132), 0.5 * 6 / 132) << "half of each tile";
}

TEST(TokenBudget, FillsWavesWithinTheCache) {
  EXPECT_EQ(token_budget(layer(768, 3072), h100()), 2816) << "every product of BERT-base fits";
  for (const auto& l : {layer(384, 1536), layer(768, 3072), layer(1024, 4096)}) {
    const int64_t tokens = token_budget(l, h100());
    const int64_t held = (50 << 20) / l.bytes_per_token;
    EXPECT_LE(tokens, held);
    EXPECT_GE(tokens, held / 2);
    EXPECT_GE(wave_efficiency(l, tokens, 132), 0.95);
  }
}

TEST(TokenBudget, HasBounds) {
  DeviceInfo device = h100();
  device.l2_bytes = 0;  // unknown
  EXPECT_LE(token_budget(layer(768, 3072), device), 2048);
  EXPECT_GE(token_budget(layer(768, 3072), device), 1024);
  device.l2_bytes = size_t{1} << 40;
  EXPECT_LE(token_budget(layer(32, 64), device), 16384);
}

}  // namespace
}  // namespace fp8q::cuda
