#include "calibrate/site_statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace fp8q {
namespace {

void check_count(uint64_t count) {
  if (count > SiteStatistics::kMaxCount)
    fail(ErrorCode::limit,
         "more than {} values of one Site: calibrate with fewer examples or a shorter maximum "
         "length",
         SiteStatistics::kMaxCount);
}

}  // namespace

void SiteStatistics::Range::extend(const Range& other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

void SiteStatistics::merge(const SiteStatistics& other) {
  State& a = state_;
  const State& b = other.state_;
  check_count(a.count + b.count);
  a.count += b.count;
  a.zeros += b.zeros;
  a.nonfinite += b.nonfinite;
  a.range.extend(b.range);
  for (size_t i = 0; i < kBins; ++i) a.histogram[i] += b.histogram[i];
  for (size_t i = 0; i < kExponents; ++i) {
    a.sums[i].mantissas += b.sums[i].mantissas;
    a.sums[i].squares += b.sums[i].squares;
  }
  if (a.groups.size() < b.groups.size()) a.groups.resize(b.groups.size());
  for (size_t i = 0; i < b.groups.size(); ++i) a.groups[i].extend(b.groups[i]);
  if (b.columns == -1) return;
  if (a.columns == -1) {
    a.columns = b.columns;
    a.channel_absmax = b.channel_absmax;
  } else if (a.columns != b.columns) {
    a.columns = 0;
    a.channel_absmax.clear();
  }
  for (size_t i = 0; i < a.channel_absmax.size(); ++i)
    a.channel_absmax[i] = std::max(a.channel_absmax[i], b.channel_absmax[i]);
}

void SiteStatistics::observe(std::span<const float> values, int64_t columns, size_t example_group) {
  FP8Q_ASSERT(columns >= 0);
  FP8Q_ASSERT(columns == 0 || values.size() % static_cast<size_t>(columns) == 0);
  if (values.empty()) return;
  check_count(state_.count + values.size());
  if (example_group >= kMaxGroups)
    fail(ErrorCode::limit, "at most {} examples can be calibrated with",
         kMaxGroups * kExamplesPerGroup);
  if (state_.groups.size() <= example_group) state_.groups.resize(example_group + 1);
  constexpr size_t kBlock = 4096;  // 16 KiB, which stay in the L1 cache for the second pass
  for (size_t at = 0; at < values.size(); at += kBlock)
    observe_block(values.subspan(at, std::min(kBlock, values.size() - at)),
                  state_.groups[example_group]);
  observe_channels(values, columns <= kMaxChannels ? columns : 0);
}

float SiteStatistics::absmax() const { return std::max(std::fabs(min()), std::fabs(max())); }

// Reported sums are added from the largest exponent down, in a fixed order.
double SiteStatistics::mean() const {
  if (state_.count == 0) return 0;
  double sum = 0;
  for (size_t e = kExponents; e-- > 0;)
    sum += std::ldexp(static_cast<double>(state_.sums[e].mantissas),
                      std::max(static_cast<int>(e), 1) - 150);
  return sum / static_cast<double>(state_.count);
}

double SiteStatistics::sum_of_squares() const {
  double sum = 0;
  for (size_t e = kExponents; e-- > 0;)
    sum += std::ldexp(static_cast<double>(state_.sums[e].squares),
                      2 * (std::max(static_cast<int>(e), 1) - 150));
  return sum;
}

double SiteStatistics::stddev() const {
  if (state_.count == 0) return 0;
  const double m = mean();
  return std::sqrt(std::max(0.0, sum_of_squares() / static_cast<double>(state_.count) - m * m));
}

SiteStatistics::Range SiteStatistics::moving_range(double momentum) const {
  double low = 0;
  double high = 0;
  bool first = true;
  for (const Range& group : state_.groups) {
    if (group.empty()) continue;
    const double kept = first ? 0 : momentum;
    low = kept * low + (1 - kept) * static_cast<double>(group.min);
    high = kept * high + (1 - kept) * static_cast<double>(group.max);
    first = false;
  }
  return {static_cast<float>(low), static_cast<float>(high)};
}

float SiteStatistics::bin_lower(size_t bin) {
  return std::bit_cast<float>(static_cast<uint32_t>(bin << kBinShift));
}

SiteStatistics SiteStatistics::of(State state) {
  FP8Q_ASSERT(state.histogram.size() == kBins && state.sums.size() == kExponents);
  SiteStatistics statistics;
  statistics.state_ = std::move(state);
  return statistics;
}

}  // namespace fp8q
