// Quantising a constant tensor: one scale, or one for every index along an axis.
#pragma once

#include <optional>
#include <vector>

#include "calibrate/observer.h"
#include "numeric/format.h"
#include "tensor/tensor.h"

namespace fp8q {

struct WeightScales {
  std::vector<float> scales;  // one, or one per index along the axis
  float absmax = 0;
  uint8_t absmax_code = 0;  // smallest code that the absmax of a channel takes, zero channels apart
  int64_t zero_channels = 0;  // they have scale 1
};
WeightScales absmax_scales(const Tensor& f32, Format format, std::optional<int64_t> axis);
// The range of each channel by the observer, which sees its values.
WeightScales observed_scales(const Tensor& f32, Format format, std::optional<int64_t> axis,
                             const ObserverChoice& observer);

// Codes in a tensor of the format's type (E4M3, E5M2 or INT8) and the shape of `f32`.
Tensor quantized(const Tensor& f32, Format format, std::optional<int64_t> axis,
                 const std::vector<float>& scales);
Tensor dequantized(const Tensor& codes, Format format, std::optional<int64_t> axis,
                   const std::vector<float>& scales);

// 10 log10(sum x^2 / sum (x - y)^2); infinite where they are equal.
double sqnr_db(const Tensor& x, const Tensor& y);

DType dtype_of_format(Format format);

}  // namespace fp8q
