// Defines the quantization formats and the rule that turns a range into a scale.
//
// A quantized tensor stores codes q and a scale s; its values are decode(q) * s. Codes are computed
// as ONNX's QuantizeLinear defines and onnxruntime does: the quotient x / s is an FP32 value (a
// division, never a multiplication by the reciprocal), rounded to nearest even and saturated. The
// scale of a range is absmax / largest, so that absmax takes the largest code: 0x7E in E4M3 (448),
// 0x7B in E5M2 (57344), 127 in INT8. The scale is cut to 12 significant bits. Therefore absmax may
// exceed the largest value by a relative 2^-11, far less than half a step, and then saturates. The
// rule is exact for every absmax whose scale is a normal FP32 number
// (tests/unit/numeric/format_test.cc).
//
// With 12 bits, code * scale is exact in FP32, and so is the product of two scales.
// DequantizeLinear then rounds nothing. A runtime that multiplies codes and scales their sum gets
// the same FP32 number as one that multiplies dequantized values. Otherwise the two could take
// neighboring codes when the result is quantized again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "numeric/minifloat.h"

namespace fp8q {

enum class Format : uint8_t {
#define FP8Q_FORMAT(id, ...) id,
#include "numeric/formats.def"
#undef FP8Q_FORMAT
};

inline constexpr Format kEveryFormat[] = {
#define FP8Q_FORMAT(id, ...) Format::id,
#include "numeric/formats.def"
#undef FP8Q_FORMAT
};

struct FormatInfo {
  Format id;
  std::string_view name;
  int onnx_type;  // TensorProto.DataType
  float largest;  // a range's absmax is mapped to this value
  float step;     // distance between neighboring values at zero
  bool integer;
};

std::span<const FormatInfo> all_formats();
const FormatInfo& info(Format format);
std::optional<Format> format_named(std::string_view name);
std::optional<Format> format_of_onnx_type(int onnx_type);

// Returns the code of x / scale. INT8 uses round_half_even clipped to [-128, 127], and NaN becomes
// 0. For the other formats see MiniFloat.
uint8_t encode(Format format, float x, float scale);
// Returns decode(code) without the scale. INT8 codes are two's complement.
float decode(Format format, uint8_t code);

// Returns whether x / scale lies beyond the largest code (INT8: or beyond -128) by more than half a
// step, so that it is clipped and not only rounded. Returns false for NaN.
bool saturates(Format format, float x, float scale);
// Returns whether x rounds to zero although it is not zero.
bool underflows(Format format, float x, float scale);

// Encode and decode whole rows; `codes` and `x` have equal size.
void encode(Format format, std::span<const float> x, float scale, std::span<uint8_t> codes);
void decode(Format format, std::span<const uint8_t> codes, float scale, std::span<float> x);
// Encodes with a scale per element.
void encode(Format format, std::span<const float> x, std::span<const float> scales,
            std::span<uint8_t> codes);
void decode(Format format, std::span<const uint8_t> codes, std::span<const float> scales,
            std::span<float> x);

// Returns absmax / largest, cut to 12 significant bits. A range of zero gets scale 1. A scale below
// the smallest normal FP32 is raised to it; absmax (below 2^-117, 2^-110 and 2^-119) then takes a
// smaller code. `absmax` must be finite and not negative.
float scale_for(Format format, float absmax);
// Applies the same rule to a format with this largest value.
float scale_to(float largest, float absmax);

}  // namespace fp8q
