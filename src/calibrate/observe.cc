// These loops see every activation. Each block is read twice. A branch-free scan, which compilers
// vectorize, finds the extremes. A second pass makes the histogram and the exact sums.
#include <algorithm>
#include <bit>
#include <vector>

#include "calibrate/site_statistics.h"

namespace fp8q {
namespace {

constexpr int32_t kInfBits = 0x7F800000;
constexpr int32_t kMagnitude = 0x7FFFFFFF;

// Maps floats to integers of the same order, with -0 below +0. The function is its own inverse. A
// NaN lies beyond the Inf of its sign, so extremes of keys also tell whether a block is finite.
int32_t order_key(int32_t bits) { return bits ^ ((bits >> 31) & kMagnitude); }

// Adding +0 turns -0 into +0, because the order of equal zeros must not affect the result.
float from_key(int32_t key) { return std::bit_cast<float>(order_key(key)) + 0.0f; }

struct Scan {
  int32_t min_key = kMagnitude;
  int32_t max_key = -kMagnitude - 1;
  int32_t zeros = 0;
  bool finite() const { return max_key < kInfBits && min_key > order_key(~kMagnitude | kInfBits); }
};

Scan scan(std::span<const float> block) {
  Scan s;
  for (const float value : block) {
    const auto bits = std::bit_cast<int32_t>(value);
    const int32_t key = order_key(bits);
    s.min_key = key < s.min_key ? key : s.min_key;
    s.max_key = key > s.max_key ? key : s.max_key;
    s.zeros += (bits & kMagnitude) == 0 ? 1 : 0;
  }
  return s;
}

}  // namespace

void SiteStatistics::observe_block(std::span<const float> block, Range& group) {
  const Scan s = scan(block);
  if (!s.finite()) {
    std::vector<float> finite;
    std::ranges::copy_if(block, std::back_inserter(finite), [](float value) {
      return (std::bit_cast<int32_t>(value) & kMagnitude) < kInfBits;
    });
    state_.nonfinite += block.size() - finite.size();
    if (!finite.empty()) observe_block(finite, group);
    return;
  }
  const Range range{from_key(s.min_key), from_key(s.max_key)};
  state_.range.extend(range);
  group.extend(range);
  state_.count += block.size();
  state_.zeros += static_cast<uint64_t>(s.zeros);
  observe_finite(block);
  state_.histogram[0] -= static_cast<uint64_t>(s.zeros);  // observe_finite() counted them there
}

void SiteStatistics::observe_finite(std::span<const float> values) {
  uint64_t* const histogram = state_.histogram.data();
  ExponentSums* const sums = state_.sums.data();
  for (const float value : values) {
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    const uint32_t exponent = magnitude >> 23;
    const auto implicit_one = static_cast<uint32_t>(exponent != 0) << 23;
    const auto mantissa = static_cast<int64_t>((magnitude & 0x7FFFFF) | implicit_one);
    const int64_t sign = -static_cast<int64_t>(bits >> 31);
    ++histogram[magnitude >> kBinShift];
    sums[exponent].mantissas += (mantissa ^ sign) - sign;
    sums[exponent].squares += static_cast<uint64_t>(mantissa * mantissa);
  }
}

void SiteStatistics::observe_channels(std::span<const float> values, int64_t columns) {
  if (state_.columns == -1) {
    state_.columns = columns;
    state_.channel_absmax.assign(static_cast<size_t>(columns), 0.0f);
  } else if (state_.columns != columns) {
    state_.columns = 0;
    state_.channel_absmax.clear();
  }
  const size_t n = state_.channel_absmax.size();
  if (n == 0) return;
  // Magnitudes compare like integers. A magnitude that is not finite counts as zero.
  std::vector<int32_t> largest(n);
  for (size_t row = 0; row < values.size(); row += n)
    for (size_t c = 0; c < n; ++c) {
      const int32_t bits = std::bit_cast<int32_t>(values[row + c]) & kMagnitude;
      const int32_t magnitude = bits < kInfBits ? bits : 0;
      largest[c] = magnitude > largest[c] ? magnitude : largest[c];
    }
  for (size_t c = 0; c < n; ++c)
    state_.channel_absmax[c] = std::max(state_.channel_absmax[c], std::bit_cast<float>(largest[c]));
}

}  // namespace fp8q
