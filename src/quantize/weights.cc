#include "quantize/weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibrate/observer.h"

namespace fp8q {
namespace {

// A tensor seen as [outer, channels, inner] around an axis; without one, as a single channel.
struct Channels {
  size_t outer = 1;
  size_t channels = 1;
  size_t inner = 1;

  Channels(const Tensor& tensor, std::optional<int64_t> axis) {
    if (!axis) {
      inner = static_cast<size_t>(tensor.size());
      return;
    }
    FP8Q_ASSERT(*axis >= 0 && *axis < tensor.rank());
    for (int64_t i = 0; i < tensor.rank(); ++i)
      (i < *axis ? outer : i == *axis ? channels : inner) *= static_cast<size_t>(tensor.dim(i));
  }
};

// Calls f(begin, size, scale) for every run of elements under one scale, or f(begin, size, scales)
// for whole rows where the channels are the last axis.
template <typename F>
void for_each_run(const Channels& c, std::span<const float> scales, F&& f) {
  FP8Q_ASSERT(scales.size() == c.channels);
  for (size_t o = 0; o < c.outer; ++o) {
    if (c.inner == 1) {
      f(o * c.channels, c.channels, scales);
      continue;
    }
    for (size_t i = 0; i < c.channels; ++i) f((o * c.channels + i) * c.inner, c.inner, scales[i]);
  }
}

std::vector<float> channel_absmax(const Tensor& f32, const Channels& c) {
  std::vector<float> absmax(c.channels, 0.0f);
  const auto values = f32.data<float>();
  size_t at = 0;
  for (size_t o = 0; o < c.outer; ++o)
    for (size_t i = 0; i < c.channels; ++i)
      for (size_t k = 0; k < c.inner; ++k, ++at)
        absmax[i] = std::max(absmax[i], std::fabs(values[at]));
  return absmax;
}

void gather_channel(std::span<const float> values, const Channels& c, size_t channel,
                    std::vector<float>& to) {
  to.clear();
  for (size_t o = 0; o < c.outer; ++o) {
    const auto run = values.subspan((o * c.channels + channel) * c.inner, c.inner);
    to.insert(to.end(), run.begin(), run.end());
  }
}

// The squared error is that of the values themselves: a channel has too few of them for the
// histogram's assumption that they are spread evenly over a bin.
float range_of_values(std::span<const float> values, Format format,
                      const ObserverChoice& observer) {
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

WeightScales scales_of_ranges(const std::vector<float>& ranges, Format format) {
  WeightScales out;
  out.absmax_code = std::numeric_limits<uint8_t>::max();
  for (const float absmax : ranges) {
    const float scale = scale_for(format, absmax);
    out.scales.push_back(scale);
    out.absmax = std::max(out.absmax, absmax);
    if (absmax == 0.0f) ++out.zero_channels;
    else out.absmax_code = std::min(out.absmax_code, encode(format, absmax, scale));
  }
  if (out.absmax == 0.0f) out.absmax_code = 0;
  return out;
}

std::span<uint8_t> mutable_codes(Tensor& tensor) {
  return {reinterpret_cast<uint8_t*>(tensor.mutable_bytes()), static_cast<size_t>(tensor.size())};
}

}  // namespace

DType dtype_of_format(Format format) {
  const auto dtype = dtype_of_onnx_code(info(format).onnx_type);
  FP8Q_ASSERT(dtype && element_size(*dtype) == 1);
  return *dtype;
}

WeightScales absmax_scales(const Tensor& f32, Format format, std::optional<int64_t> axis) {
  return scales_of_ranges(channel_absmax(f32, Channels(f32, axis)), format);
}

WeightScales observed_scales(const Tensor& f32, Format format, std::optional<int64_t> axis,
                             const ObserverChoice& observer) {
  const Channels channels(f32, axis);
  if (observer.id == Observer::absmax) return absmax_scales(f32, format, axis);
  std::vector<float> ranges;
  std::vector<float> values;
  for (size_t i = 0; i < channels.channels; ++i) {
    gather_channel(f32.data<float>(), channels, i, values);
    ranges.push_back(range_of_values(values, format, observer));
  }
  return scales_of_ranges(ranges, format);
}

Tensor quantized(const Tensor& f32, Format format, std::optional<int64_t> axis,
                 const std::vector<float>& scales) {
  Tensor codes(dtype_of_format(format), f32.shape());
  const auto x = f32.data<float>();
  const auto to = mutable_codes(codes);
  for_each_run(Channels(f32, axis), scales, [&](size_t begin, size_t size, auto scale) {
    encode(format, x.subspan(begin, size), scale, to.subspan(begin, size));
  });
  return codes;
}

Tensor dequantized(const Tensor& codes, Format format, std::optional<int64_t> axis,
                   const std::vector<float>& scales) {
  Tensor out(DType::f32, codes.shape());
  const std::span<const uint8_t> from{reinterpret_cast<const uint8_t*>(codes.bytes()),
                                      static_cast<size_t>(codes.size())};
  const auto x = out.mutable_data<float>();
  for_each_run(Channels(codes, axis), scales, [&](size_t begin, size_t size, auto scale) {
    decode(format, from.subspan(begin, size), scale, x.subspan(begin, size));
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
