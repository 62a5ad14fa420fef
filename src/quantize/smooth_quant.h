// SmoothQuant (Xiao et al., arXiv 2211.10438) divides channels whose activations are large by a
// factor, and multiplies the factor into the weights that read them. The values that one scale must
// cover then differ less:
//
//   x W = (x diag(s)^-1) (diag(s) W),   s_j = max|x_j|^alpha / max|W_j|^(1 - alpha)   (eq. 3, 4)
//
// Here max|W_j| is taken over all weights that read x. Unlike the paper's, factors are rounded to
// powers of two. Both products are then exact (if nothing is subnormal), so smoothing alone changes
// no bit of the results, and comparisons show only what quantization loses. Factors are not folded
// into the LayerNorm before, because in a post-LN encoder the residual sum also reads its result.
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

// Says how much of the difficulty moves from activations to weights, as users write it: "auto",
// "0.5".
struct SmoothQuant {
  std::optional<double> alpha;  // in [0, 1]; nullopt: searched for every input

  // Throws an Error (usage) that begins with `where` if the text is neither "auto" nor a number in
  // [0, 1].
  static SmoothQuant parse(std::string_view text, const std::string& where);
  std::string text() const;  // parse(text()) is the same
  friend bool operator==(const SmoothQuant&, const SmoothQuant&) = default;
};

// Describes the channels of an activation, as calibration saw them.
struct ChannelRanges {
  std::span<const float> absmax;  // one per channel
  // This is the mean square of a channel's values in units of its absmax squared, in [0, 1].
  // Statistics have it only for all channels together.
  double power = 0;
};

// Describes a matrix that reads the activation, and how it will be quantized.
struct SmoothedWeight {
  Tensor f32;
  int64_t channel_axis;  // axis of its output channels
  Format format;
  Granularity granularity;
  ObserverChoice observer;
};

// Returns the factors 1 / s by which the activation's channels are multiplied. Channels that have
// only zeros, or meet only zeros, get the median of the others. Returns an empty list if all
// factors are equal, which would change nothing.
std::vector<float> smoothing_factors(std::span<const float> activation_absmax,
                                     std::span<const float> weight_absmax, double alpha);

// Returns the largest magnitude of each input channel over all weights.
std::vector<float> input_absmax(std::span<const SmoothedWeight> weights);

// Returns the matrix with each input channel (the axis that is not `channel_axis`) divided by its
// factor, or the matrix itself if there are no factors.
Tensor divided(const Tensor& matrix, int64_t channel_axis, std::span<const float> factors);

// Returns the expected sum of squared errors, over all results of one row of the activation, of
// quantizing both operands with these factors (empty: none). The errors of the two operands are
// assumed to be independent. The errors of the weights are computed from their values. The error of
// a channel of the activation is what the format loses of normally distributed values that have the
// channel's power and are cut at its absmax, with the scale that the largest channel needs.
double expected_error(const ChannelRanges& activation, Format format,
                      std::span<const SmoothedWeight> weights, std::span<const float> factors);

struct Smoothing {
  std::vector<float> factors;  // empty: the input is better left as it is
  double alpha = 0;
};
// Returns the factors of the given alpha. Without one, returns the choice with the least expected
// error among no factors and the alphas 0.1, 0.2, ... 0.9.
Smoothing smooth(const SmoothQuant& wanted, const ChannelRanges& activation, Format format,
                 std::span<const SmoothedWeight> weights);

}  // namespace fp8q
