#include "quantize/smooth_quant.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

constexpr double kLargestExponent = 30;  // for factors; far within the range of FP32

// Calls f(channel, element) for every element of a matrix, in the order of its storage.
template <typename F>
void for_each_input(const Tensor& matrix, int64_t channel_axis, F&& f) {
  FP8Q_ASSERT(matrix.rank() == 2);
  const auto columns = static_cast<size_t>(matrix.dim(1));
  const auto size = static_cast<size_t>(matrix.size());
  for (size_t i = 0; i < size; ++i) f(channel_axis == 1 ? i / columns : i % columns, i);
}

size_t inputs_of(const SmoothedWeight& weight) {
  return static_cast<size_t>(weight.f32.dim(1 - weight.channel_axis));
}

// Returns magnitudes of a normal distribution of variance 1. Each stands for one of equally
// probable parts of the distribution. They are scaled to have mean square 1.
std::vector<double> normal_magnitudes() {
  constexpr int kParts = 32;
  std::vector<double> points;
  double squares = 0;
  for (int i = 0; i < kParts; ++i) {
    const double share = (i + 0.5) / kParts;  // share of magnitudes below z: erf(z / sqrt(2))
    double low = 0, high = 8;
    while (high - low > 1e-9) {
      const double middle = (low + high) / 2;
      (std::erf(middle / std::numbers::sqrt2) < share ? low : high) = middle;
    }
    points.push_back(low);
    squares += low * low;
  }
  for (double& z : points) z /= std::sqrt(squares / kParts);
  return points;
}

// Returns the mean squared error of quantizing a channel's values.
double channel_noise(Format format, float scale, double absmax, double power) {
  static const std::vector<double> kMagnitudes = normal_magnitudes();
  double noise = 0;
  for (const double z : kMagnitudes) {
    const auto x = static_cast<float>(std::min(z * std::sqrt(power), 1.0) * absmax);
    const double error = double{decode(format, encode(format, x, scale))} * scale - x;
    noise += error * error;
  }
  return noise / static_cast<double>(kMagnitudes.size());
}

}  // namespace

SmoothQuant SmoothQuant::parse(std::string_view text, const std::string& where) {
  if (text == "auto") return {};
  double alpha = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), alpha);
  if (error != std::errc() || end != text.data() + text.size() || !(alpha >= 0 && alpha <= 1))
    fail(ErrorCode::usage,
         "{}: \"{}\" is neither auto nor a number from 0 (all difficulty stays in the activations) "
         "to 1 (all moves to the weights)",
         where, printable(std::string(text)));
  return {alpha};
}

std::string SmoothQuant::text() const { return alpha ? fmt::format("{}", *alpha) : "auto"; }

std::vector<float> smoothing_factors(std::span<const float> activation_absmax,
                                     std::span<const float> weight_absmax, double alpha) {
  FP8Q_ASSERT(activation_absmax.size() == weight_absmax.size());
  std::vector<float> factors, known;
  for (size_t j = 0; j < weight_absmax.size(); ++j) {
    const double x = activation_absmax[j], w = weight_absmax[j];
    const double exponent =
        x > 0 && w > 0 ? std::nearbyint((1 - alpha) * std::log2(w) - alpha * std::log2(x)) : NAN;
    factors.push_back(std::isnan(exponent) ? 0.0f
                                           : std::exp2(static_cast<float>(std::clamp(
                                                 exponent, -kLargestExponent, kLargestExponent))));
    if (factors.back() > 0) known.push_back(factors.back());
  }
  if (known.empty()) return {};
  const auto median = known.begin() + static_cast<ptrdiff_t>(known.size() / 2);
  std::ranges::nth_element(known, median);
  std::ranges::replace(factors, 0.0f, *median);
  const bool equal =
      std::ranges::adjacent_find(factors, std::ranges::not_equal_to()) == factors.end();
  return equal ? std::vector<float>() : factors;
}

std::vector<float> input_absmax(std::span<const SmoothedWeight> weights) {
  std::vector<float> absmax(weights.empty() ? 0 : inputs_of(weights[0]));
  for (const SmoothedWeight& weight : weights) {
    const auto values = weight.f32.data<float>();
    for_each_input(weight.f32, weight.channel_axis, [&](size_t channel, size_t i) {
      absmax[channel] = std::max(absmax[channel], std::fabs(values[i]));
    });
  }
  return absmax;
}

Tensor divided(const Tensor& matrix, int64_t channel_axis, std::span<const float> factors) {
  if (factors.empty()) return matrix;
  Tensor out(DType::f32, matrix.shape());
  const auto from = matrix.data<float>();
  const auto to = out.mutable_data<float>();
  for_each_input(matrix, channel_axis,
                 [&](size_t channel, size_t i) { to[i] = from[i] / factors[channel]; });
  return out;
}

double expected_error(const ChannelRanges& activation, Format format,
                      std::span<const SmoothedWeight> weights, std::span<const float> factors) {
  const size_t channels = activation.absmax.size();
  std::vector<double> absmax(channels), noise(channels);
  for (size_t j = 0; j < channels; ++j)
    absmax[j] = double{activation.absmax[j]} * (factors.empty() ? 1.0 : factors[j]);
  const double largest = absmax.empty() ? 0 : std::ranges::max(absmax);
  const float scale = scale_for(format, static_cast<float>(largest));
  for (size_t j = 0; j < channels; ++j)
    noise[j] = channel_noise(format, scale, absmax[j], activation.power);

  double error = 0;
  for (const SmoothedWeight& weight : weights) {
    const Tensor w = divided(weight.f32, weight.channel_axis, factors);
    const WeightScales scales = observed_scales(w, weight.format, weight.granularity,
                                                weight.channel_axis, weight.observer, "a weight");
    const Tensor back = dequantized(quantized(w, weight.format, scales.axis, scales.scales),
                                    weight.format, scales.axis, scales.scales);
    const auto exact = w.data<float>(), rounded = back.data<float>();
    for_each_input(w, weight.channel_axis, [&](size_t j, size_t i) {
      const double value = exact[i], change = value - double{rounded[i]};
      error +=
          noise[j] * value * value + activation.power * absmax[j] * absmax[j] * change * change;
    });
  }
  return error;
}

Smoothing smooth(const SmoothQuant& wanted, const ChannelRanges& activation, Format format,
                 std::span<const SmoothedWeight> weights) {
  const std::vector<float> weight_absmax = input_absmax(weights);
  if (wanted.alpha)
    return {smoothing_factors(activation.absmax, weight_absmax, *wanted.alpha), *wanted.alpha};
  Smoothing best;
  double least = expected_error(activation, format, weights, {});
  for (int tenths = 1; tenths <= 9; ++tenths) {
    const double alpha = tenths / 10.0;
    std::vector<float> factors = smoothing_factors(activation.absmax, weight_absmax, alpha);
    if (factors.empty()) continue;
    const double error = expected_error(activation, format, weights, factors);
    if (error >= least) continue;
    least = error;
    best = {std::move(factors), alpha};
  }
  return best;
}

}  // namespace fp8q
