// DynamicQuantizeLinear (since 11) makes uint8 codes. Scale and zero point are chosen so that the
// codes cover the range of x together with zero.
#include <algorithm>

#include "interpreter/ops/quantization.h"

namespace fp8q {

Types infer_dynamic_quantize_linear(const OpContext& context) {
  const Operand& x = context.input(0);
  if (x.dtype != DType::f32) context.reject("expects float, not {}", name(x.dtype));
  return {{DType::u8, x.shape, std::nullopt},
          {DType::f32, {}, std::nullopt},
          {DType::u8, {}, std::nullopt}};
}

Tensors run_dynamic_quantize_linear(const OpContext& context, const Types& types) {
  const auto x = context.tensor(0).data<float>();
  float low = 0;
  float high = 0;
  for (const float v : x) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  // A tensor of zeros has no range; any scale is right.
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;
  const auto zero_point = quantize_integer<uint8_t>(-low / scale, 0);
  Tensor out(DType::u8, types[0].shape);
  auto to = out.mutable_data<uint8_t>();
  for (size_t i = 0; i < x.size(); ++i) to[i] = quantize_integer<uint8_t>(x[i] / scale, zero_point);
  return {std::move(out), Tensor::scalar(scale), Tensor::scalar(zero_point)};
}

}  // namespace fp8q
