// QuantizeLinear (since 10; axis from 13; FP8 and `saturate` from 19; blocks and output_dtype from
// 21; `precision` from 23). Codes are round_half_even(x / scale) + zero point for integers, and
// cast(x / scale) for FP8. The quotient is an FP32 value for every type of x, as in onnxruntime
// (the standard leaves the precision for float16 open). The operator of the same meaning in
// com.microsoft is also here.
//
// TRT_FP8QuantizeLinear (domain trt) has a scale, which is the step, and E4M3 codes, but no zero
// point.
#include "interpreter/ops/quantization.h"

namespace fp8q {
namespace {

DType output_type(const OpContext& context) {
  const int64_t wanted = context.int_attribute("output_dtype", 0);
  const DType none = context.has(2) ? context.input(2).dtype : DType::u8;
  if (wanted == 0) return none;
  const auto dtype =
      wanted < 0 || wanted > 1000 ? std::nullopt : dtype_of_onnx_code(static_cast<int>(wanted));
  if (!dtype) context.refuse("quantizes to element type {}, which fp8q does not have", wanted);
  if (context.has(2) && *dtype != none)
    context.reject("output_dtype is {}, the zero point is {}", name(*dtype), name(none));
  return *dtype;
}

bool is_code_type(DType dtype) { return dtype == DType::u8 || format_of(dtype); }

// T is a code type. `zero_point` is not used for FP8, where the standard demands zero.
template <typename T>
T quantize(float quotient, const T& zero_point, bool saturate) {
  if constexpr (std::is_integral_v<T>) {
    return quantize_integer<T>(quotient, zero_point);
  } else {
    T code{};
    code.bits = static_cast<uint8_t>(T::Codec::encode(quotient, saturate));
    return code;
  }
}

template <typename T>
Tensor quantize_tensor(const OpContext& context, const Tensor& x, const AbstractValue& type) {
  const bool saturate = context.int_attribute("saturate", 1) != 0;
  const Tensor scales = context.tensor(1).to(DType::f32);
  const Tensor zeros = context.has(2) ? context.tensor(2) : Tensor(type.dtype, scales.shape());
  const ScaleLayout layout(context, x.shape(), scales.shape(), &zeros.shape());
  const float* from = x.data<float>().data();
  const float* scale = scales.data<float>().data();
  const T* zero = zeros.data<T>().data();
  Tensor out(type.dtype, type.shape);
  T* to = out.mutable_data<T>().data();
  layout.for_each_run([&](int64_t first, int64_t count, int64_t at, int64_t step) {
    for (int64_t i = 0; i < count; ++i)
      to[first + i] =
          quantize<T>(from[first + i] / scale[at + i * step], zero[at + i * step], saturate);
  });
  return out;
}

}  // namespace

Types infer_quantize_linear(const OpContext& context) {
  const Operand& x = context.input(0);
  const DType dtype = output_type(context);
  if (!is_code_type(dtype)) context.refuse("quantizes to {}", name(dtype));
  const int64_t precision = context.int_attribute("precision", 0);
  if (precision != 0 && precision != static_cast<int64_t>(DType::f32))
    context.refuse("asks for a division in element type {}; fp8q divides in float", precision);
  ScaleLayout(context, x.shape, context.input(1).shape,
              context.has(2) ? &context.input(2).shape : nullptr);
  return {{dtype, x.shape, std::nullopt}};
}

Tensors run_quantize_linear(const OpContext& context, const Types& types) {
  const Tensor x = context.tensor(0).to(DType::f32);
  return {visit(types[0].dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (sizeof(T) == 1 && !std::is_same_v<T, bool>)
      return quantize_tensor<T>(context, x, types[0]);
    else return Tensor();  // unreachable, because infer() refuses other types
  })};
}

Types infer_trt_quantize(const OpContext& context) {
  const Operand& x = context.input(0);
  require_float(context, x.dtype);
  ScaleLayout(context, x.shape, context.input(1).shape, nullptr);
  return {{DType::e4m3, x.shape, std::nullopt}};
}

}  // namespace fp8q
