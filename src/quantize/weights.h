// Quantizes a constant tensor: decides which values share a scale, and computes scales and codes.
//
// ONNX has scales per tensor, per index of one axis, and per block along one axis. Groups of
// channels are written as channels whose scales repeat. Two-dimensional tiles are written as blocks
// along the input channels whose scales repeat over the output channels of the tile.
#pragma once

#include <optional>
#include <vector>

#include "calibrate/observer.h"
#include "quantize/recipe.h"
#include "tensor/tensor.h"

namespace fp8q {

// Says which scale an element of a tensor has, in the terms of DequantizeLinear. Without `axis`
// there is one scale. With `axis` there is one per index along it. With `block` as well there is
// one per `block` elements along the axis (the last block may be shorter), for every index of the
// other dimensions.
struct ScaleAxis {
  std::optional<int64_t> axis;
  int64_t block = 0;

  ScaleAxis(std::optional<int64_t> of = std::nullopt) : axis(of) {}             // NOLINT: an axis
  ScaleAxis(int64_t of, int64_t blocks_of = 0) : axis(of), block(blocks_of) {}  // NOLINT: an axis
  Shape scale_shape(const Shape& tensor) const;
  friend bool operator==(const ScaleAxis&, const ScaleAxis&) = default;
};

struct WeightScales {
  ScaleAxis axis;
  std::vector<float> scales;  // in the order of scale_shape()
  float absmax = 0;
  int64_t zero_channels = 0;  // channels that hold only zeros; their scale is 1
};
WeightScales absmax_scales(const Tensor& f32, Format format, std::optional<int64_t> axis);

// The observer finds the range of each group of values of a matrix whose output channels lie along
// `channel_axis`. Without a channel axis (or with other than two dimensions) a granularity other
// than `tensor` and `channel` is an Error (unsupported). Without a channel axis `channel` means
// `tensor`. Throws an Error (usage) that begins with `where` if groups do not divide the channels.
WeightScales observed_scales(const Tensor& f32, Format format, const Granularity& granularity,
                             std::optional<int64_t> channel_axis, const ObserverChoice& observer,
                             const std::string& where);

// Returns a scale of scale_for() as a tensor of type f32, f16 or bf16 holds it: rounded to the
// type, and at least its smallest normal number, because runtimes may flush smaller ones to zero.
// Codes are made with the result, so that they fit the scale that is stored.
float storable_scale(float scale, DType dtype);

// Returns the codes in a tensor of the format's type (E4M3, E5M2 or INT8) and the shape of `f32`.
Tensor quantized(const Tensor& f32, Format format, const ScaleAxis& axis,
                 const std::vector<float>& scales);
Tensor dequantized(const Tensor& codes, Format format, const ScaleAxis& axis,
                   const std::vector<float>& scales);

// Returns 10 log10(sum x^2 / sum (x - y)^2), which is infinite if the tensors are equal.
double sqnr_db(const Tensor& x, const Tensor& y);

}  // namespace fp8q
