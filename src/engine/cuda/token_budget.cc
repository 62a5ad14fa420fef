#include "engine/cuda/token_budget.h"

#include <algorithm>

#include "engine/cuda/batch_input.h"

namespace fp8q::cuda {
namespace {

constexpr int64_t kTile = 128;
// Below kLeast, launches and weights dominate. Beyond kMost, nothing more is gained.
constexpr int64_t kLeast = 2048, kMost = 16384;

int64_t parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

}  // namespace

double wave_efficiency(const LayerWidths& layer, int64_t tokens, int multiprocessors) {
  double needed = 0, occupied = 0;
  for (const ProductWidth& p : layer.products) {
    const int64_t tiles = parts(tokens, kTile) * parts(p.n, kTile);
    needed += static_cast<double>(tokens * p.n * p.k);
    occupied +=
        static_cast<double>(parts(tiles, multiprocessors) * multiprocessors * kTile * kTile * p.k);
  }
  return occupied > 0 ? needed / occupied : 0;
}

int64_t token_budget(const LayerWidths& layer, const DeviceInfo& device) {
  const int64_t held = static_cast<int64_t>(device.l2_bytes) / layer.bytes_per_token;
  const int64_t most = std::clamp(held, kLeast, kMost);
  int64_t best = 0;
  double best_efficiency = -1;
  for (int64_t tokens = most / 2; tokens <= most; ++tokens) {
    const int64_t size = bucket_for({.sequences = 1, .tokens = tokens}).tokens;
    if (size > most) break;
    const double efficiency = wave_efficiency(layer, size, device.multiprocessors);
    if (efficiency >= best_efficiency) best = size, best_efficiency = efficiency;
    tokens = size;
  }
  return best;
}

}  // namespace fp8q::cuda
