// Holds the statistics of all values that pass one Site. They are enough for every observer and
// take bounded memory.
//
// Statistics are the same bit for bit for any batch size, order and number of threads, because each
// part merges exactly. Counts and histogram are integers, extremes are extremes, and sums are kept
// per binary exponent as integers of mantissas. Nothing is rounded before it is reported. Values
// that are not finite are counted and otherwise ignored.
//
// Quantiles finer than a histogram bin, and anything that depends on neighboring values, are not
// goals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace fp8q {

__extension__ typedef unsigned __int128 uint128;  // -Wpedantic

class SiteStatistics {
 public:
  // A bin holds the magnitudes that share the exponent and the three leading mantissa bits. All
  // finite magnitudes have a bin, so there is no range to choose and merging never rebins. Zeros
  // are counted apart.
  static constexpr int kBinShift = 20;
  static constexpr size_t kBins = 0x7F800000u >> kBinShift;
  static constexpr size_t kExponents = 255;  // biased, finite values only; 0: subnormal
  // Ranges are kept per group of this many consecutive examples, in the order of the data. A group
  // is the "batch" of moving averages, whatever batches the execution made.
  static constexpr size_t kExamplesPerGroup = 32;
  static constexpr int64_t kMaxChannels = 1 << 16;
  static constexpr size_t kMaxGroups = size_t{1} << 20;
  // Below this many values, every sum of 24-bit mantissas fits into 64 bits.
  static constexpr uint64_t kMaxCount = uint64_t{1} << 38;

  struct Range {
    float min = std::numeric_limits<float>::infinity();
    float max = -std::numeric_limits<float>::infinity();
    bool empty() const { return min > max; }
    void extend(const Range& other);
    friend bool operator==(const Range&, const Range&) = default;
  };

  // A value is mantissa * 2^(max(exponent, 1) - 150) with a signed 24-bit mantissa.
  struct ExponentSums {
    int64_t mantissas = 0;
    uint128 squares = 0;
    friend bool operator==(const ExponentSums&, const ExponentSums&) = default;
  };

  struct State {
    uint64_t count = 0;  // finite values, zeros included
    uint64_t zeros = 0;
    uint64_t nonfinite = 0;
    Range range;
    std::vector<uint64_t> histogram = std::vector<uint64_t>(kBins);
    std::vector<ExponentSums> sums = std::vector<ExponentSums>(kExponents);
    // -1 means that nothing was seen. 0 means that the width varies, so there are no channels.
    int64_t columns = -1;
    std::vector<float> channel_absmax;  // one per column
    std::vector<Range> groups;          // by example group; empty if the group was not seen
    friend bool operator==(const State&, const State&) = default;
  };

  // `values` are rows of `columns` channels; `columns` is 0 if channels have no meaning. All values
  // belong to examples of the group `example_group` = (index of the example) / kExamplesPerGroup.
  void observe(std::span<const float> values, int64_t columns, size_t example_group);
  void merge(const SiteStatistics& other);

  uint64_t count() const { return state_.count; }
  uint64_t zeros() const { return state_.zeros; }
  uint64_t nonfinite() const { return state_.nonfinite; }
  // Each is 0 if no finite value was seen.
  float min() const { return state_.count ? state_.range.min : 0.0f; }
  float max() const { return state_.count ? state_.range.max : 0.0f; }
  float absmax() const;
  double mean() const;
  double stddev() const;  // of the values seen: divided by count
  double sum_of_squares() const;
  std::span<const float> channel_absmax() const { return state_.channel_absmax; }
  std::span<const uint64_t> histogram() const { return state_.histogram; }
  // Returns the moving average of the groups' ranges, e = momentum * e + (1 - momentum) * range,
  // which starts with the first group's range. Returns {0, 0} if nothing was seen.
  Range moving_range(double momentum) const;

  // The magnitudes of bin b are those in [bin_lower(b), bin_lower(b + 1)).
  static float bin_lower(size_t bin);

  const State& state() const { return state_; }
  static SiteStatistics of(State state);  // `state` must be consistent
  friend bool operator==(const SiteStatistics&, const SiteStatistics&) = default;

 private:
  void observe_finite(std::span<const float> values);
  void observe_block(std::span<const float> block, Range& group);
  void observe_channels(std::span<const float> values, int64_t columns);

  State state_;
};

}  // namespace fp8q
