// Rounds values into operands, eight neighbors at a time.
//
// Codes of E4M3 and E5M2 come from the toolkit's conversions. These are single instructions from
// compute capability 8.9 on; before it and on the host, software gives the same results
// (tests/unit/kernels_cuda compares them with numeric/codecs.h). Codes of all other formats come
// from their codecs.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstring>

#include "kernels/cuda/warp.cuh"
#include "numeric/codecs.h"
#include "numeric/token_scale.h"

namespace fp8q::cuda {

constexpr int kVector = 8;
using Vector = float[kVector];

// Returns the toolkit's name of a format that its conversions know.
constexpr std::optional<__nv_fp8_interpretation_t> converted_as(Format format) {
  if (format == Format::e4m3) return __NV_E4M3;
  if (format == Format::e5m2) return __NV_E5M2;
  return std::nullopt;
}

// Returns the nearest of a codec's integers, ties to even. Adding 1.5 * 2^23 leaves no bits for a
// fraction. NaN becomes 0.
template <class Integers>
__host__ __device__ inline float round_integer(float quotient) {
  constexpr float kNoFraction = 12582912.0f, kLowest = Integers::lowest(),
                  kLargest = Integers::largest();
  const float clamped = fminf(fmaxf(quotient, kLowest), kLargest);
  return quotient == quotient ? (clamped + kNoFraction) - kNoFraction : 0.0f;
}

// Returns the code of a quotient, by the format's codec.
template <Format F>
__host__ __device__ inline uint32_t encode_one(float x) {
  using Codec = CodecOf<F>;
  if constexpr (Codec::kInteger)
    return static_cast<uint32_t>(static_cast<int32_t>(round_integer<Codec>(x))) &
           ((1u << Codec::kBits) - 1);
  else return Codec::encode(x);
}

// Returns the codes of two quotients, the first in the low byte.
template <Format F>
__host__ __device__ inline uint32_t encode_pair(float first, float second) {
  if constexpr (constexpr auto name = converted_as(F); name.has_value())
    return __nv_cvt_float2_to_fp8x2({first, second}, __NV_SATFINITE, *name);
  else return encode_one<F>(first) | encode_one<F>(second) << 8;
}

// Returns the value of a code as FP16, by the format's codec.
template <Format F>
__host__ __device__ inline __half decode_one(uint32_t code) {
  if constexpr (CodecOf<F>::kInteger) return __int2half_rn(CodecOf<F>::integer(code));
  else return __float2half_rn(CodecOf<F>::decode(code));
}

// Returns the values of two codes as FP16, which holds every one of them exactly.
template <Format F>
__host__ __device__ inline __half2 decode_pair(uint32_t codes) {
  if constexpr (constexpr auto name = converted_as(F); name.has_value())
    return __half2(__nv_cvt_fp8x2_to_halfraw2(static_cast<__nv_fp8x2_storage_t>(codes), *name));
  else return __halves2half2(decode_one<F>(codes & 0xFF), decode_one<F>(codes >> 8 & 0xFF));
}

// Returns x / scale rounded as a division rounds it, by a product and its correction, where inverse
// is 1 / scale. This is several times as fast. (Markstein, 1990: the correction of a quotient
// within one unit by a correctly rounded inverse is correctly rounded. tests/unit/kernels_cuda
// compares the results with divisions. If |x| is below 2^-100 the last bit may differ.)
__host__ __device__ inline float divide(float x, float scale, float inverse) {
  const float q = x * inverse;
  const float corrected = fmaf(fmaf(-q, scale, x), inverse, q);
  // Infinities, NaN and the sign of zero stay as they are. Quotients smaller than this are zero to
  // every format.
  const float size = fabsf(q);
  return size >= 1e-30f && size <= 1e30f ? corrected : q;
}

// Returns the values that two quotients are rounded to.
template <Format F>
__host__ __device__ inline __half2 round_to_values(float first, float second) {
  using Codec = CodecOf<F>;
  if constexpr (Codec::kInteger)
    return __floats2half2_rn(round_integer<Codec>(first), round_integer<Codec>(second));
  else return decode_pair<F>(encode_pair<F>(first, second));
}

// Does the same as fp8q::with_format(), but also on a device; calls are qualified, to tell the two
// apart. The format is uniform over a launch. A format that is none of the ones before is the last
// one.
template <size_t kIndex = 0, class Body>
__host__ __device__ inline void with_format(Format format, const Body& body) {
  constexpr Format kFormat = kEveryFormat[kIndex];
  if constexpr (kIndex + 1 < std::size(kEveryFormat)) {
    if (format != kFormat) return with_format<kIndex + 1>(format, body);
  }
  return body.template operator()<kFormat>();
}

__host__ __device__ inline uint32_t bf16_pair(float first, float second) {
  const __nv_bfloat162_raw pair = __floats2bfloat162_rn(first, second);
  return pair.x | static_cast<uint32_t>(pair.y) << 16;
}

__host__ __device__ inline float2 bf16_values(uint32_t pair) {
  const uint32_t words[2] = {pair << 16, pair & 0xFFFF0000u};
  float2 values;
  memcpy(&values, words, sizeof values);
  return values;
}

__host__ __device__ inline void load_bf16(const uint16_t* from, Vector& x) {
  const uint4 words = *reinterpret_cast<const uint4*>(from);
  const uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
  for (int i = 0; i < 4; ++i) {
    const float2 pair = bf16_values(pairs[i]);
    x[2 * i] = pair.x;
    x[2 * i + 1] = pair.y;
  }
}

__host__ __device__ inline void store_bf16(const Vector& x, void* to) {
  *reinterpret_cast<uint4*>(to) = make_uint4(bf16_pair(x[0], x[1]), bf16_pair(x[2], x[3]),
                                             bf16_pair(x[4], x[5]), bf16_pair(x[6], x[7]));
}

__host__ __device__ inline void load_f32(const float* from, Vector& x) {
  const float4 low = reinterpret_cast<const float4*>(from)[0];
  const float4 high = reinterpret_cast<const float4*>(from)[1];
  x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
  x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}

__host__ __device__ inline void store_f32(const Vector& x, float* to) {
  reinterpret_cast<float4*>(to)[0] = make_float4(x[0], x[1], x[2], x[3]);
  reinterpret_cast<float4*>(to)[1] = make_float4(x[4], x[5], x[6], x[7]);
}

// Multiplies x, from `column` on, by its factors.
__host__ __device__ inline void multiply(const float* factors, int64_t column, Vector& x) {
  if (!factors) return;
  Vector f;
  load_f32(factors + column, f);
  for (int i = 0; i < kVector; ++i) x[i] *= f[i];
}

// Returns the largest magnitude of the values that are rounded for x, from `column` on.
__host__ __device__ inline float absmax(const Vector& x, int64_t column, const Rounding& r) {
  Vector product;
  for (int i = 0; i < kVector; ++i) product[i] = x[i];
  multiply(r.factors, column, product);
  float largest = 0;
  for (int i = 0; i < kVector; ++i) largest = larger(largest, fabsf(product[i]));
  return largest;
}

// Sets the scale of `r`, which has a format and is prepared, for one row whose values have this
// absmax.
__host__ __device__ inline void scale_for_row(float absmax, Rounding& r) {
  r.scale = token_scale(r.largest, absmax);
  r.inverse = 1.0f / r.scale;
}

// Stores x, from `column` on, as elements [index, index + 8) of an operand whose rounding is
// prepared.
__host__ __device__ inline void store_operand(const Vector& x, int64_t index, int64_t column,
                                              const Operand& operand) {
  const Rounding& r = operand.rounding;
  auto* to = static_cast<uint8_t*>(operand.data) + index * element_size(r.type);
  if (!r.format) return store_bf16(x, to);
  Vector quotient;
  for (int i = 0; i < kVector; ++i) quotient[i] = x[i];
  multiply(r.factors, column, quotient);
  for (int i = 0; i < kVector; ++i) quotient[i] = divide(quotient[i], r.scale, r.inverse);
  cuda::with_format(*r.format, [&]<Format F>() {
    uint32_t pairs[4];
    for (int i = 0; i < 4; ++i) pairs[i] = encode_pair<F>(quotient[2 * i], quotient[2 * i + 1]);
    if (r.type != OperandType::bf16) {
      *reinterpret_cast<uint2*>(to) =
          make_uint2(pairs[0] | pairs[1] << 16, pairs[2] | pairs[3] << 16);
      return;
    }
    Vector values;
    for (int i = 0; i < 4; ++i) {
      const float2 pair = __half22float2(decode_pair<F>(pairs[i]));
      values[2 * i] = pair.x;
      values[2 * i + 1] = pair.y;
    }
    store_bf16(values, to);
  });
}

// Returns the value that x / scale is rounded to, without the scale.
__host__ __device__ inline float rounded(float x, const Rounding& r) {
  if (!r.format) return x;
  float value = 0;
  cuda::with_format(*r.format, [&]<Format F>() {
    value = __low2float(decode_pair<F>(encode_pair<F>(x / r.scale, 0.0f)));
  });
  return value;
}

// Loads sums [index, index + 8) as they are.
template <SumType T>
__host__ __device__ inline void load_raw(const void* sums, int64_t index, Vector& x) {
  if constexpr (T == SumType::bf16) {
    load_bf16(static_cast<const uint16_t*>(sums) + index, x);
  } else if constexpr (T == SumType::f32) {
    load_f32(static_cast<const float*>(sums) + index, x);
  } else {
    const int4* from = reinterpret_cast<const int4*>(static_cast<const int32_t*>(sums) + index);
    const int4 low = from[0], high = from[1];
    x[0] = static_cast<float>(low.x), x[1] = static_cast<float>(low.y);
    x[2] = static_cast<float>(low.z), x[3] = static_cast<float>(low.w);
    x[4] = static_cast<float>(high.x), x[5] = static_cast<float>(high.y);
    x[6] = static_cast<float>(high.z), x[7] = static_cast<float>(high.w);
  }
}

// Holds scale and bias of the columns [column, column + 8).
struct Columns {
  Vector scale = {1, 1, 1, 1, 1, 1, 1, 1};
  Vector bias = {};

  __host__ __device__ Columns(const Sums& sums, int64_t column) {
    if (sums.scale) load_f32(sums.scale + column, scale);
    if (sums.bias) load_f32(sums.bias + column, bias);
  }
  __host__ __device__ void apply(float row_scale, Vector& x) const {
    for (int i = 0; i < kVector; ++i) x[i] = fmaf(x[i] * row_scale, scale[i], bias[i]);
  }
};

__host__ __device__ inline float row_scale(const Sums& sums, int64_t row) {
  return sums.row_scale ? sums.row_scale[row] : 1.0f;
}

// Loads y of Sums for eight elements of a row, from `column` on; rows are `stride` elements apart.
template <SumType T>
__host__ __device__ inline void load_sums(const Sums& sums, int64_t row, int64_t stride,
                                          int64_t column, Vector& y) {
  load_raw<T>(sums.data, row * stride + column, y);
  Columns(sums, column).apply(row_scale(sums, row), y);
}

// Calls body.template operator()<type>().
template <class Body>
void with_sum_type(SumType type, const Body& body) {
  switch (type) {
    case SumType::bf16:
      return body.template operator()<SumType::bf16>();
    case SumType::f32:
      return body.template operator()<SumType::f32>();
    case SumType::i32:
      return body.template operator()<SumType::i32>();
  }
}

// Stores elements [index, index + 8) of all results that are wanted. They stand in the columns from
// `column` on.
template <class Results>
__host__ __device__ inline void store_results(const Vector& y, int64_t index, int64_t column,
                                              const Results& out) {
  if (out.hidden) store_bf16(y, out.hidden + index);
  if (out.operand.data) store_operand(y, index, column, out.operand);
  if (out.values) store_f32(y, out.values + index);
}

// Returns 2^x within a relative 2^-22 (PTX ISA, ex2.approx.ftz.f32). This is one instruction, while
// exp2f also serves results below 2^-126; here they are zero.
__host__ __device__ inline float fast_exp2(float x) {
#ifdef __CUDA_ARCH__
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  const float y = exp2f(x);
  return y < 1.17549435e-38f ? 0.0f : y;
#endif
}

// Returns x / y within 2 units in the last place, for |y| below 2^126.
__host__ __device__ inline float fast_divide(float x, float y) {
#ifdef __CUDA_ARCH__
  return __fdividef(x, y);
#else
  return x / y;
#endif
}

// Returns tanh(x) within 3e-7 as 1 - 2 / (1 + e^2x). From 40 on it is 1 however large x is.
__host__ __device__ inline float fast_tanh(float x) {
  const float power = fast_exp2(fminf(x, 40.0f) * 2.8853900817779268f);
  return 1.0f - fast_divide(2.0f, 1.0f + power);
}

// Returns erf(x) within 1.5e-7 and the errors of the powers, 2.5e-7 (Abramowitz and Stegun,
// 7.1.26), without a branch.
__host__ __device__ inline float fast_erf(float x) {
  const float t = fast_divide(1.0f, fmaf(0.3275911f, fabsf(x), 1.0f));
  float p = fmaf(t, 1.061405429f, -1.453152027f);
  p = fmaf(t, p, 1.421413741f);
  p = fmaf(t, p, -0.284496736f);
  p = fmaf(t, p, 0.254829592f) * t;
  return copysignf(1.0f - p * fast_exp2(-1.4426950408889634f * x * x), x);
}

template <Function F>
__host__ __device__ inline float apply(float x) {
  if constexpr (F == Function::none) return x;
  if constexpr (F == Function::gelu_erf)
    return 0.5f * x * (1.0f + fast_erf(x * 0.70710678118654752f));
  if constexpr (F == Function::gelu_tanh)
    return 0.5f * x * (1.0f + fast_tanh(0.79788456080286536f * (x + 0.044715f * x * x * x)));
  if constexpr (F == Function::relu) return fmaxf(x, 0.0f);
  if constexpr (F == Function::tanh) return tanhf(x);
}

// Calls body.template operator()<function>().
template <class Body>
void with_function(Function function, const Body& body) {
  switch (function) {
    case Function::none:
      return body.template operator()<Function::none>();
    case Function::gelu_erf:
      return body.template operator()<Function::gelu_erf>();
    case Function::gelu_tanh:
      return body.template operator()<Function::gelu_tanh>();
    case Function::relu:
      return body.template operator()<Function::relu>();
    case Function::tanh:
      return body.template operator()<Function::tanh>();
  }
}

}  // namespace fp8q::cuda
