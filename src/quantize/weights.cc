#include "quantize/weights.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "calibrate/observer.h"

namespace fp8q {
namespace {

// Views a tensor's elements as [outer, length, inner] around the axis.
class Runs {
 public:
  Runs(const Shape& tensor, const ScaleAxis& axis) : block_(static_cast<size_t>(axis.block)) {
    if (!axis.axis) {
      inner_ = static_cast<size_t>(elements(tensor));
      return;
    }
    const auto at = static_cast<size_t>(*axis.axis);
    FP8Q_ASSERT(*axis.axis >= 0 && at < tensor.size());
    for (size_t i = 0; i < tensor.size(); ++i)
      (i < at ? outer_ : i == at ? length_ : inner_) *= static_cast<size_t>(tensor[i]);
  }

  size_t scales() const { return block_ ? outer_ * blocks() * inner_ : length_; }

  // Calls f(begin, count, first, step): the elements [begin, begin + count) have the scales first +
  // i * step.
  template <typename F>
  void for_each(F&& f) const {
    for (size_t o = 0; o < outer_; ++o) {
      if (!block_ && inner_ == 1) {
        f(o * length_, length_, size_t{0}, size_t{1});
      } else if (block_ && inner_ == 1) {
        for (size_t b = 0; b < blocks(); ++b)
          f(o * length_ + b * block_, std::min(block_, length_ - b * block_), o * blocks() + b,
            size_t{0});
      } else {
        for (size_t i = 0; i < length_; ++i)
          f((o * length_ + i) * inner_, inner_, block_ ? (o * blocks() + i / block_) * inner_ : i,
            size_t{block_ ? 1u : 0u});
      }
    }
  }

 private:
  size_t blocks() const { return (length_ + block_ - 1) / block_; }

  size_t outer_ = 1;
  size_t length_ = 1;
  size_t inner_ = 1;
  size_t block_;
};

std::span<uint8_t> mutable_codes(Tensor& tensor) {
  return {reinterpret_cast<uint8_t*>(tensor.mutable_bytes()), static_cast<size_t>(tensor.size())};
}

// The absmax needs no statistics here, because most weights use it. The squared error is measured
// on the values themselves, because a channel has too few of them for the histogram's assumption
// that they are spread evenly over a bin.
float range_of_values(std::span<const float> values, Format format,
                      const ObserverChoice& observer) {
  if (observer.id == Observer::absmax) {
    float absmax = 0;
    for (const float x : values) absmax = std::max(absmax, std::fabs(x));
    return absmax;
  }
  SiteStatistics seen;
  seen.observe(values, 0, 0);
  if (observer.id != Observer::mse) return range(observer, seen, format);
  std::vector<uint8_t> codes(values.size());
  std::vector<float> back(values.size());
  return least_noise_range(seen.absmax(), [&](float candidate) {
    const float scale = scale_for(format, candidate);
    encode(format, values, scale, codes);
    decode(format, codes, scale, back);
    double noise = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double difference = static_cast<double>(values[i]) - static_cast<double>(back[i]);
      noise += difference * difference;
    }
    return noise;
  });
}

// Makes scales from one range for each.
WeightScales scales_of_ranges(const ScaleAxis& axis, const std::vector<float>& ranges,
                              Format format) {
  WeightScales out{.axis = axis, .scales = {}};
  for (const float absmax : ranges) {
    out.scales.push_back(scale_for(format, absmax));
    out.absmax = std::max(out.absmax, absmax);
    if (absmax == 0.0f) ++out.zero_channels;
  }
  return out;
}

// Says which group of values decides each scale.
struct Groups {
  ScaleAxis axis;
  std::vector<size_t> of_scale;
  size_t count = 1;
};

Groups groups_of(const Shape& weight, const Granularity& granularity,
                 std::optional<int64_t> channel_axis, const std::string& where) {
  using Kind = Granularity::Kind;
  const auto size = static_cast<size_t>(granularity.size);
  const bool coarse = granularity == Granularity::tensor || granularity == Granularity::channel;
  if (!coarse && (!channel_axis || weight.size() != 2))
    fail(ErrorCode::unsupported, "{}: granularity {} is for matrices with known output channels",
         where, granularity.text());
  Groups groups;
  if (channel_axis && granularity != Granularity::tensor) groups.axis = channel_axis;
  if (granularity.kind == Kind::block || granularity.kind == Kind::tile)
    groups.axis = {1 - *channel_axis, granularity.size};
  groups.of_scale.resize(Runs(weight, groups.axis).scales());
  const auto channels =
      channel_axis ? static_cast<size_t>(weight[static_cast<size_t>(*channel_axis)]) : 1;
  if (granularity.kind == Kind::groups && channels % size != 0)
    fail(ErrorCode::usage, "{}: {} output channels are not divisible into {} groups", where,
         channels, size);
  // Scales of blocks have the layout of the weight: [blocks, channels] or [channels, blocks].
  const size_t blocks = groups.axis.block ? groups.of_scale.size() / channels : 1;
  const size_t tiles = (channels + size - 1) / std::max<size_t>(size, 1);
  const bool last = channel_axis == 1;
  for (size_t s = 0; s < groups.of_scale.size(); ++s) {
    const size_t channel = last ? s % channels : s / blocks;
    const size_t block = last ? s / channels : s % blocks;
    groups.of_scale[s] = granularity.kind == Kind::groups ? s / (channels / size)
                         : granularity.kind == Kind::tile ? block * tiles + channel / size
                                                          : s;
  }
  for (const size_t g : groups.of_scale) groups.count = std::max(groups.count, g + 1);
  return groups;
}

}  // namespace

Shape ScaleAxis::scale_shape(const Shape& tensor) const {
  if (!axis) return {};
  const int64_t length = tensor[static_cast<size_t>(*axis)];
  if (!block) return {length};
  Shape shape = tensor;
  shape[static_cast<size_t>(*axis)] = (length + block - 1) / block;
  return shape;
}

WeightScales absmax_scales(const Tensor& f32, Format format, std::optional<int64_t> axis) {
  const Runs runs(f32.shape(), axis);
  std::vector<float> ranges(runs.scales(), 0.0f);
  const auto values = f32.data<float>();
  runs.for_each([&](size_t begin, size_t count, size_t first, size_t step) {
    for (size_t i = 0; i < count; ++i)
      ranges[first + i * step] = std::max(ranges[first + i * step], std::fabs(values[begin + i]));
  });
  return scales_of_ranges(axis, ranges, format);
}

WeightScales observed_scales(const Tensor& f32, Format format, const Granularity& granularity,
                             std::optional<int64_t> channel_axis, const ObserverChoice& observer,
                             const std::string& where) {
  const Groups groups = groups_of(f32.shape(), granularity, channel_axis, where);
  std::vector<std::vector<float>> values(groups.count);
  const auto all = f32.data<float>();
  const Runs runs(f32.shape(), groups.axis);
  // All groups have about the same size; without room for it they would take twice the memory.
  for (auto& group : values) group.reserve((all.size() + groups.count - 1) / groups.count);
  runs.for_each([&](size_t begin, size_t count, size_t first, size_t step) {
    for (size_t i = 0; i < count; ++i)
      values[groups.of_scale[first + i * step]].push_back(all[begin + i]);
  });
  std::vector<float> range_of_group;
  for (const auto& group : values)
    range_of_group.push_back(range_of_values(group, format, observer));
  std::vector<float> ranges;
  for (const size_t group : groups.of_scale) ranges.push_back(range_of_group[group]);
  return scales_of_ranges(groups.axis, ranges, format);
}

float storable_scale(float scale, DType dtype) {
  constexpr float kSmallestHalf = 0x1p-14f, kLargestHalf = 65504;
  if (dtype == DType::f16)
    return static_cast<float>(Float16(std::clamp(scale, kSmallestHalf, kLargestHalf)));
  if (dtype == DType::bf16) return static_cast<float>(BFloat16(scale));
  return scale;
}

Tensor quantized(const Tensor& f32, Format format, const ScaleAxis& axis,
                 const std::vector<float>& scales) {
  Tensor codes(dtype_of_format(format), f32.shape());
  const auto x = f32.data<float>();
  const auto to = mutable_codes(codes);
  const std::span<const float> s = scales;
  const Runs runs(f32.shape(), axis);
  FP8Q_ASSERT(scales.size() == runs.scales());
  runs.for_each([&](size_t begin, size_t count, size_t first, size_t step) {
    const auto from = x.subspan(begin, count);
    if (step) encode(format, from, s.subspan(first, count), to.subspan(begin, count));
    else encode(format, from, s[first], to.subspan(begin, count));
  });
  return codes;
}

Tensor dequantized(const Tensor& codes, Format format, const ScaleAxis& axis,
                   const std::vector<float>& scales) {
  Tensor out(DType::f32, codes.shape());
  const std::span<const uint8_t> from{reinterpret_cast<const uint8_t*>(codes.bytes()),
                                      static_cast<size_t>(codes.size())};
  const auto x = out.mutable_data<float>();
  const std::span<const float> s = scales;
  const Runs runs(codes.shape(), axis);
  FP8Q_ASSERT(scales.size() == runs.scales());
  runs.for_each([&](size_t begin, size_t count, size_t first, size_t step) {
    const auto to = x.subspan(begin, count);
    if (step) decode(format, from.subspan(begin, count), s.subspan(first, count), to);
    else decode(format, from.subspan(begin, count), s[first], to);
  });
  return out;
}

double sqnr_db(const Tensor& x, const Tensor& y) {
  FP8Q_ASSERT(x.shape() == y.shape());
  const auto a = x.data<float>();
  const auto b = y.data<float>();
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    signal += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    noise += difference * difference;
  }
  return decibels(signal, noise);
}

}  // namespace fp8q
