// Finds the scale that an element has in QuantizeLinear, DequantizeLinear and their relatives.
//
// There is one scale for the tensor, or one per index along `axis` (opset 13, scale of one
// dimension), or one per block of `block_size` elements along `axis` (opset 21, scale with the
// dimensions of x).
#pragma once

#include "interpreter/ops/elementwise.h"

namespace fp8q {

class ScaleLayout {
 public:
  // Reads the attributes. `scale` and, if present, `zero_point` must fit `x`, or an Error
  // (bad_model) is thrown.
  ScaleLayout(const OpContext& context, const Shape& x, const Shape& scale,
              const Shape* zero_point);

  // Calls f(first, count, at, step): elements [first, first + count) of x have the scales at + i *
  // step.
  template <typename F>
  void for_each_run(F&& f) const {
    for (int64_t o = 0; o < view_.outer; ++o)
      for (int64_t i = 0; i < view_.length; ++i)
        f((o * view_.length + i) * view_.inner, view_.inner,
          o * outer_step_ + i / block_ * length_step_, inner_step_);
  }

 private:
  AxisView view_;
  int64_t block_ = 1;
  int64_t outer_step_ = 0;
  int64_t length_step_ = 0;
  int64_t inner_step_ = 0;
};

// Returns round(x / scale) + zero_point, ties to even, clipped to the integer type T. A NaN
// quotient counts as zero.
template <typename T>
T quantize_integer(float quotient, int64_t zero_point) {
  constexpr double kLow = std::numeric_limits<T>::min();
  constexpr double kHigh = std::numeric_limits<T>::max();
  if (std::isnan(quotient)) quotient = 0;
  // nearbyint() is right because the rounding mode is to nearest even throughout the process.
  const double code =
      std::nearbyint(static_cast<double>(quotient)) + static_cast<double>(zero_point);
  return static_cast<T>(code < kLow ? kLow : code > kHigh ? kHigh : code);
}

}  // namespace fp8q
