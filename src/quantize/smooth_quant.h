// SmoothQuant (Xiao et al., arXiv 2211.10438): channels whose activations are large are divided by
// a factor that is multiplied into the weights that read them, so that what one scale must cover
// differs less:
//
//   x W = (x diag(s)^-1) (diag(s) W),   s_j = max|x_j|^alpha / max|W_j|^(1 - alpha)   (eq. 3, 4)
//
// with max|W_j| over all weights that read x. Unlike the paper's, factors are rounded to powers of
// two: then both products are exact (where nothing is subnormal), so that smoothing alone changes
// no bit of the model, and what quantization loses is all there is to compare. And they are not
// folded into the LayerNorm before: in a post-LN encoder the residual sum reads its result, too.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/observer.h"
#include "quantize/recipe.h"
#include "tensor/tensor.h"

namespace fp8q {

// How much of the difficulty moves, as users write it: "auto", "0.5".
struct SmoothQuant {
  std::optional<double> alpha;  // in [0, 1]; nullopt: searched for every input

  // Error (usage), beginning with `where`: neither of the two.
  static SmoothQuant parse(std::string_view text, const std::string& where);
  std::string text() const;  // parse(text()) is the same
  friend bool operator==(const SmoothQuant&, const SmoothQuant&) = default;
};

// The channels of an activation, as calibration saw them.
struct ChannelRanges {
  std::span<const float> absmax;  // of each channel
  // Mean square of a channel's values in units of its absmax squared, in [0, 1]: statistics have it
  // for all channels together only.
  double power = 0;
};

// A matrix that reads the activation, and how it will be quantized.
struct SmoothedWeight {
  Tensor f32;
  int64_t channel_axis;  // of its output channels
  Format format;
  Granularity granularity;
  ObserverChoice observer;
};

// What the activation's channels are multiplied by: 1 / s. Those that have only zeros, or meet only
// zeros, get the median of the others. Empty where all are equal, which would change nothing.
std::vector<float> smoothing_factors(std::span<const float> activation_absmax,
                                     std::span<const float> weight_absmax, double alpha);

// The largest magnitude of each input channel over all weights.
std::vector<float> input_absmax(std::span<const SmoothedWeight> weights);

// The matrix with each input channel (the axis that is not `channel_axis`) divided by its factor;
// itself where there are none.
Tensor divided(const Tensor& matrix, int64_t channel_axis, std::span<const float> factors);

// The expected sum of squares, over all results of one row of the activation, of what quantizing
// both operands with these factors (empty: none) changes. Errors of the two are taken to be
// independent. Those of the weights are their own; those of a channel of the activation are what
// the format loses, with the scale that the largest channel needs, of normally distributed values
// of the channel's power, cut at its absmax.
double expected_error(const ChannelRanges& activation, Format format,
                      std::span<const SmoothedWeight> weights, std::span<const float> factors);

struct Smoothing {
  std::vector<float> factors;  // empty: the input is better left as it is
  double alpha = 0;
};
// With a given alpha its factors; else those with the least expected error of no factors and the
// alphas 0.1, 0.2, ... 0.9.
Smoothing smooth(const SmoothQuant& wanted, const ChannelRanges& activation, Format format,
                 std::span<const SmoothedWeight> weights);

}  // namespace fp8q
