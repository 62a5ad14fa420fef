// DequantizeLinear (since 10; axis from 13; FP8 and half-precision scales from 19; blocks from 21;
// output_dtype from 23) computes (x - zero point) * scale, rounded once to the output type. That is
// output_dtype, or the type of the scale if it is absent. The operator of the same meaning in
// com.microsoft is also here.
//
// TRT_FP8DequantizeLinear (domain trt) has E4M3 codes, which files store as that type or as uint8.
#include "interpreter/ops/quantization.h"

namespace fp8q {
namespace {

bool is_trt(const OpContext& context) { return context.node().domain == "trt"; }

// Returns x minus its zero point, exactly. 32-bit integers are rounded to float, as the product is.
template <typename T>
float centered(T x, T zero_point) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<float>(static_cast<int64_t>(x) - static_cast<int64_t>(zero_point));
  else return static_cast<float>(x);
}

template <typename T>
Tensor dequantize_tensor(const OpContext& context, const Tensor& x, const AbstractValue& type) {
  const Tensor scales = context.tensor(1).to(DType::f32);
  const Tensor zeros = context.has(2) ? context.tensor(2) : Tensor(x.dtype(), scales.shape());
  const ScaleLayout layout(context, x.shape(), scales.shape(), &zeros.shape());
  const T* from = x.data<T>().data();
  const float* scale = scales.data<float>().data();
  const T* zero = zeros.data<T>().data();
  Tensor out(DType::f32, type.shape);
  float* to = out.mutable_data<float>().data();
  layout.for_each_run([&](int64_t first, int64_t count, int64_t at, int64_t step) {
    for (int64_t i = 0; i < count; ++i)
      to[first + i] = centered(from[first + i], zero[at + i * step]) * scale[at + i * step];
  });
  return out.to(type.dtype);
}

DType output_type(const OpContext& context) {
  const int64_t wanted = context.int_attribute("output_dtype", 0);
  if (wanted == 0) return context.input(1).dtype;
  const auto dtype =
      wanted < 0 || wanted > 1000 ? std::nullopt : dtype_of_onnx_code(static_cast<int>(wanted));
  if (!dtype) context.refuse("dequantizes to element type {}, which fp8q does not have", wanted);
  return *dtype;
}

}  // namespace

Types infer_dequantize_linear(const OpContext& context) {
  const Operand& x = context.input(0);
  if (context.has(2) && context.input(2).dtype != x.dtype)
    context.reject("x is {}, the zero point is {}", name(x.dtype), name(context.input(2).dtype));
  require_float(context, output_type(context));
  ScaleLayout(context, x.shape, context.input(1).shape,
              context.has(2) ? &context.input(2).shape : nullptr);
  return {{output_type(context), x.shape, std::nullopt}};
}

Tensors run_dequantize_linear(const OpContext& context, const Types& types) {
  Tensor x = context.tensor(0);
  if (is_trt(context) && x.dtype() == DType::u8)
    x = Tensor::view(DType::e4m3, x.shape(), std::make_shared<Tensor>(x), x.bytes());
  return {visit(x.dtype(), [&](auto tag) -> Tensor {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, int32_t> || (sizeof(T) == 1 && !std::is_same_v<T, bool>))
      return dequantize_tensor<T>(context, x, types[0]);
    else context.refuse("dequantizes {}", name(x.dtype()));
  })};
}

}  // namespace fp8q
